import { RUN_LOCK_KEY } from './locks/advisory-lock.js';
import type { Session } from './session.js';
import { sqlFile } from './sql-file.js';

/**
 * Puts a session back as it was opened, after statements of others: no setting, role, temporary table, prepared
 * statement, cursor, channel or advisory lock of one migration reaches the next. The lock of the run stays.
 *
 * @param further statements that go with it, such as settings of the next migration.
 */
export async function startAgain(session: Session, further = ''): Promise<void> {
  const release = sqlFile('session/release-advisory-locks').replaceAll('$1', RUN_LOCK_KEY);
  // In one message: between two of them a timeout of the role could end the session, and each takes its time.
  let text = `${sqlFile('session/start-again')}\n${session.pinSql}\n${further}\n${release}`;
  // A lock may be held several times, and each round gives back one hold of it.
  for (let released = 1; released > 0; text = release) {
    const { rows } = await session.query<{ is_released: boolean }>(text);
    released = rows.filter((row) => row.is_released).length;
  }
}
