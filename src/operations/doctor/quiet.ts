import type { Session } from '../../adapters/postgres/session.js';

/** No check waits longer for a lock: while it waits, whoever comes after it waits, too. */
const LOCK_TIMEOUT_MS = 200;
/** After the first wait in vain: the session that is in the way is most likely in the way of the next check, too. */
const NEXT_LOCK_TIMEOUT_MS = 50;
/** A check that needs longer than this on a large database is skipped. */
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * Makes the session harmless for the rest of its life, whatever a check does, and lets it fail rather than see only a
 * part of the rows. Returns the name of the role.
 */
export async function beQuiet(session: Session): Promise<string> {
  const { rows } = await session.query<{ role_name: string }>(
    `select
       current_user::text as role_name,
       pg_catalog.set_config('default_transaction_read_only', 'on', false),
       pg_catalog.set_config('lock_timeout', $1, false),
       pg_catalog.set_config('statement_timeout', $2, false),
       -- A query that a policy would filter fails instead: no check calls a table empty whose rows it may not see.
       pg_catalog.set_config('row_security', 'off', false),
       -- Compiling takes longer than any of the queries.
       pg_catalog.set_config('jit', 'off', false)`,
    [String(LOCK_TIMEOUT_MS), String(STATEMENT_TIMEOUT_MS)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the server did not say who the session is');
  return row.role_name;
}

/** Makes the checks to come wait less for a lock, so that a run ends in time however many tables are locked. */
export async function waitLess(session: Session): Promise<void> {
  await session.query(`select pg_catalog.set_config('lock_timeout', $1, false)`, [String(NEXT_LOCK_TIMEOUT_MS)]);
}
