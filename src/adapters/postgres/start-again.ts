import { keptLocks } from './locks/advisory-lock.js';
import type { QueryResult, Session } from './session.js';
import { sqlFile } from './sql-file.js';

interface Released {
  readonly is_released: boolean;
}

interface Held {
  readonly key: string;
}

function resetSql(): string {
  return sqlFile('session/start-again').replaceAll(/^--.*\n/gm, '');
}

function besideKept(file: 'session/held-advisory-locks' | 'session/release-advisory-locks', session: Session): string {
  return sqlFile(file)
    .replaceAll(/^--.*\n/gm, '')
    .replaceAll('$1', `'${keptLocks(session)}'`);
}

/**
 * What puts a session back as it was opened, to be sent behind other statements; `afterStartAgain` ends it. One message:
 * between two of them a timeout of the role could end the session, and each takes its time.
 *
 * @param further statements that go with it, such as settings of the next migration.
 */
export function startAgainSql(session: Session, further = ''): string {
  return `${resetSql()}\n${session.pinSql}\n${further}\n${besideKept('session/held-advisory-locks', session)}`;
}

/** The same for a session between two runs, which holds no lock that is to stay: in one round trip. */
export async function startAnew(session: Session): Promise<void> {
  await session.query(`${resetSql()}\n${session.pinSql}\nselect pg_catalog.pg_advisory_unlock_all();`);
}

/**
 * `rows` are the locks that it was found to hold. Nearly always there are none, and to ask costs the server less than to
 * release; a lock may be held several times, and each round gives back one hold of it.
 */
export async function afterStartAgain(session: Session, { rows }: QueryResult<Held>): Promise<void> {
  let isHolding = rows.length > 0;
  while (isHolding) {
    const released = await session.query<Released>(besideKept('session/release-advisory-locks', session));
    isHolding = released.rows.some((row) => row.is_released);
  }
}

/**
 * Puts a session back as it was opened, after statements of others: no setting, role, temporary table, prepared
 * statement, cursor, channel or advisory lock of one migration reaches the next. The lock of the run stays.
 */
export async function startAgain(session: Session, further = ''): Promise<void> {
  await afterStartAgain(session, await session.query<Held>(startAgainSql(session, further)));
}
