import type { Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';

/** No check waits longer for a lock: while it waits, every session behind it waits, too. */
const LOCK_TIMEOUT_MS = 200;
/** After the first wait in vain: the session that is in the way is most likely in the way of the next check, too. */
const NEXT_LOCK_TIMEOUT_MS = 50;
/** A check that needs longer than this on a large database is skipped. */
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * Makes the session harmless for the rest of its life, whatever a check does, and lets it fail rather than see only a
 * part of the rows. Returns who the session is.
 *
 * @throws AisecError MIGRATION_PENDING for a schema without a table of the platform: most checks would find nothing there.
 */
export async function limitSession(
  session: Session,
  schema: string,
): Promise<{ readonly roleName: string; readonly isStandby: boolean }> {
  const { rows } = await session.query<{ role_name: string; is_standby: boolean; is_migrated: boolean }>(
    `select
       current_user::text as role_name,
       pg_catalog.pg_is_in_recovery() as is_standby,
       exists (
         select
         from pg_catalog.pg_class as class
         join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
         where namespace.nspname = $3
           and class.relname in ('pgmigrations', 'users', 'messages')
       ) as is_migrated,
       pg_catalog.set_config('default_transaction_read_only', 'on', false),
       pg_catalog.set_config('lock_timeout', $1, false),
       pg_catalog.set_config('statement_timeout', $2, false),
       -- A query that a policy would filter fails instead: no check calls a table empty whose rows it may not see.
       pg_catalog.set_config('row_security', 'off', false),
       -- Compiling takes longer than any of the queries.
       pg_catalog.set_config('jit', 'off', false)`,
    [String(LOCK_TIMEOUT_MS), String(STATEMENT_TIMEOUT_MS), schema],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the server did not say who the session is');
  if (!row.is_migrated)
    throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" of ${session.info.label} is not migrated`, {
      detail: 'It has none of the tables that there would be to look at.',
      hint: 'Give the schema with --schema, or run: aisec migrate up',
    });
  return { roleName: row.role_name, isStandby: row.is_standby };
}

/** Makes the checks to come wait less for a lock, so that a run ends in time however many tables are locked. */
export async function shortenLockWait(session: Session): Promise<void> {
  await session.query(`select pg_catalog.set_config('lock_timeout', $1, false)`, [String(NEXT_LOCK_TIMEOUT_MS)]);
}
