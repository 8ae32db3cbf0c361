import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../../base/errors.js';

/** In a transaction that only reads, nothing else has it. */
const CANCELLED_BY_REPLAY = '40001';

function isConflict(error: unknown): error is AisecError {
  return isAisecError(error, 'STANDBY_CONFLICT') || (isAisecError(error) && error.sqlState === CANCELLED_BY_REPLAY);
}

/** What ended a session, when it is a standby that had to replay; where pg_dump was first to fail, it says something else. */
export async function conflictOf(session: Session): Promise<AisecError | undefined> {
  try {
    await session.query('select');
  } catch (error) {
    if (isConflict(error)) return error;
  }
  return undefined;
}

/** The error of a backup of a standby that gave its snapshot or a lock up; any other stays as it is. */
export function asStandbyConflict(error: unknown): unknown {
  if (!isConflict(error)) return error;
  return new AisecError(
    'STANDBY_CONFLICT',
    'the standby ended the backup, which was in the way of what it had to replay of its primary; nothing was backed up',
    {
      detail: error.detail ?? error.message,
      hint: "Run the command again later, or let this standby wait for it: alter system set hot_standby_feedback = on; alter system set max_standby_streaming_delay = '2h'; select pg_reload_conf();",
      sqlState: CANCELLED_BY_REPLAY,
      cause: error,
    },
  );
}
