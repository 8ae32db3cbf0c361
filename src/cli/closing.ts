import type { Session } from '../adapters/postgres/session.js';
import { isAisecError } from '../base/errors.js';

type Use<Result> = (session: Session) => Promise<Result>;

/** An event trigger may refuse any command that makes or changes a table. */
export function explaining<Result>(use: Use<Result>): Use<Result> {
  return async (session) => {
    try {
      return await use(session);
    } catch (error) {
      if (!isAisecError(error)) throw error;
      const { explainEventTrigger } = await import('../adapters/postgres/event-trigger.js');
      throw await explainEventTrigger(error, session);
    }
  };
}

export async function closing<Own extends Pick<Session, 'close'>, R>(
  session: Own,
  use: (own: Own) => Promise<R>,
): Promise<R> {
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
