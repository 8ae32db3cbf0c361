import { AisecError, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { ownRoles, unpackGzip, type ReadOptions } from './embedded-backup.js';
import { SqlLoader } from './sql-text.js';

/**
 * Runs an SQL backup in a new, empty database, after making the roles that are asked for.
 *
 * @throws AisecError RESTORE_FAILED for a text that cannot be run, BACKUP_INVALID for one that is none of ours.
 */
export async function loadSql(
  session: Session,
  file: string,
  roles: readonly string[],
  options: ReadOptions,
): Promise<void> {
  const present = new Set(roles.length === 0 ? [] : await ownRoles(session));
  for (const role of roles.filter((name) => !present.has(name)))
    await session.query(`create role ${quoteIdentifier(role)} nologin`);
  const before = await session.query<{ path: string }>("select pg_catalog.current_setting('search_path') as path");
  const loader = new SqlLoader(session);
  try {
    await unpackGzip(file, options, (chunk) => loader.add(chunk));
    if (!(await loader.finish())) throw notOurs(file);
  } catch (error) {
    if (!isAisecError(error) || error.sqlState === undefined) throw error;
    throw new AisecError('RESTORE_FAILED', `the SQL in ${file} could not be run`, {
      detail: [`${error.message}.`, error.detail].filter(Boolean).join(' '),
      hint: 'What had been restored was removed again, and nothing else was touched.',
      cause: error,
    });
  }
  // The text sets what it needs, for the session.
  await session.query('reset all');
  await session.query(
    "select pg_catalog.set_config('search_path', $1, false), pg_catalog.set_config('timezone', 'UTC', false)",
    [before.rows[0]?.path],
  );
}

function notOurs(file: string): AisecError {
  return new AisecError('BACKUP_DAMAGED', `${file} is incomplete, or not an SQL backup of aisec`, {
    hint: 'Another SQL text is for psql: psql -v ON_ERROR_STOP=1 -f FILE',
  });
}
