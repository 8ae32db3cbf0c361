import { RUN_LOCK_KEY } from './locks/advisory-lock.js';
import type { Session } from './session.js';
import { sqlFile } from './sql-file.js';

/**
 * Puts a session back as it was opened, after statements of others: no setting, role, temporary table, prepared
 * statement, cursor, channel or advisory lock of one migration reaches the next. The lock of the run stays.
 */
export async function startAgain(session: Session): Promise<void> {
  // In one message: between two of them a timeout of the role could end the session.
  await session.query(`${sqlFile('session/start-again')}\n${session.pinSql}`);
  // A lock may be held several times, and each round gives back one hold of it.
  for (let released = 1; released > 0;) {
    const { rows } = await session.query<{ is_released: boolean }>(sqlFile('session/release-advisory-locks'), [
      RUN_LOCK_KEY,
    ]);
    released = rows.filter((row) => row.is_released).length;
  }
}
