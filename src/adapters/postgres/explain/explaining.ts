import { explainEventTrigger } from './event-trigger.js';
import { explainMissingPrivilege } from './missing-privilege.js';
import type { Session } from '../session.js';

/** What uses a session, with the reason and the way out where the database has to be asked for them. */
export function explaining<Result>(use: (session: Session) => Promise<Result>): (session: Session) => Promise<Result> {
  return async (session) => {
    try {
      return await use(session);
    } catch (error) {
      throw await explainMissingPrivilege(await explainEventTrigger(error, session), session);
    }
  };
}
