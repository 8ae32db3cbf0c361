import { keptLocks } from './locks/advisory-lock.js';
import type { Session } from './session.js';
import { sqlFile } from './sql-file.js';

/** `setting "statement_timeout"`, `temporary relation "t"`. */
export async function findLeftBehind(
  session: Session,
  own: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const { rows } = await session.query<{ kind: string; name: string }>(sqlFile('session/left-behind'), [
    Object.keys(own),
    Object.values(own),
    keptLocks(session),
  ]);
  return rows.map(({ kind, name }) => `${kind} "${name}"`);
}
