import { COLUMNS, type CachedRow, type CachedTable } from './protocol/cached-table.js';
import { AisecError, isAisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { rollBack, type Session } from '../../adapters/postgres/session.js';

const NO_USER_ID = '00000000-0000-0000-0000-000000000000';

export interface UserRows {
  readonly preferences: readonly CachedRow[];
  readonly assistants: readonly CachedRow[];
}

function listOf(table: CachedTable): string {
  return COLUMNS[table].join(', ');
}

/** Services read as that role, and only what its policies show belongs into their cache. */
async function mayNotAct(session: Session, error: unknown): Promise<unknown> {
  if (!isAisecError(error, 'PRIVILEGE_MISSING')) return error;
  await rollBack(session);
  const { rows } = await session.query<{ role: string }>('select current_user::pg_catalog.text as role');
  const role = quoteIdentifier(rows[0]?.role ?? '');
  return new AisecError('PRIVILEGE_MISSING', 'this role may not act as role "authenticated", as which services read', {
    hint: `Let an administrator run: grant authenticated to ${role} with inherit false, set true;`,
    sqlState: error.sqlState,
    cause: error.cause,
  });
}

/** Runs the callback in a transaction as a user under row-level security, as services read. */
async function asUser<Result>(session: Session, user: string, use: () => Promise<Result>): Promise<Result> {
  await session.query('begin read only');
  try {
    await session
      .query(
        `select pg_catalog.set_config('role', 'authenticated', true), pg_catalog.set_config('app.current_user_id', $1, true)`,
        [user],
      )
      .catch(async (error: unknown) => {
        throw await mayNotAct(session, error);
      });
    return await use();
  } finally {
    await rollBack(session);
  }
}

export async function readSettings(session: Session): Promise<readonly (CachedRow & { readonly key: string })[]> {
  return asUser(session, NO_USER_ID, async () => {
    const { rows } = await session.query<CachedRow & { readonly key: string }>(
      `select ${listOf('system_settings')} from system_settings order by key`,
    );
    return rows;
  });
}

/** In the order in which services keep them. */
export async function readUserRows(session: Session, user: string): Promise<UserRows> {
  return asUser(session, user, async () => {
    const preferences = await session.query<CachedRow>(
      `select ${listOf('user_preferences')} from user_preferences where user_id = $1`,
      [user],
    );
    const assistants = await session.query<CachedRow>(
      `select ${listOf('assistants')} from assistants where user_id = $1 order by created_at, id`,
      [user],
    );
    return { preferences: preferences.rows, assistants: assistants.rows };
  });
}
