import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** Some managed servers let no role read the control file. */
export async function mayExecute(session: Session, signature: string): Promise<boolean> {
  const { rows } = await session.query<{ is_allowed: boolean }>(
    "select pg_catalog.has_function_privilege($1, 'execute') as is_allowed",
    [signature],
  );
  return rows[0]?.is_allowed === true;
}

/** Clocks of two machines differ. */
function positive(ms: string): number {
  return Math.max(0, Number(ms));
}

/** How far the server is behind its primary, at most, in ms: undefined on a primary, null where it is not known. */
export async function standbyLagMs(session: Session): Promise<number | null | undefined> {
  const [standby] = (await session.query<{ lag_ms: string | null }>(sqlFile('backup/standby'))).rows;
  if (standby === undefined) return undefined;
  if (standby.lag_ms !== null) return positive(standby.lag_ms);
  if (!(await mayExecute(session, 'pg_catalog.pg_control_checkpoint()'))) return null;
  const [checkpoint] = (await session.query<{ age_ms: string }>(sqlFile('backup/replayed-checkpoint'))).rows;
  return checkpoint === undefined ? null : positive(checkpoint.age_ms);
}
