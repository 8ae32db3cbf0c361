import { COLUMNS, type CachedRow, type CachedTable } from './protocol/cached-table.js';
import { rollBack, type Session } from '../../adapters/postgres/session.js';

const NO_USER_ID = '00000000-0000-0000-0000-000000000000';

export interface UserRows {
  readonly preferences: readonly CachedRow[];
  readonly assistants: readonly CachedRow[];
}

function listOf(table: CachedTable): string {
  return COLUMNS[table].join(', ');
}

/** Runs the callback in a transaction as a user under row-level security, as services read. */
async function asUser<Result>(session: Session, user: string, use: () => Promise<Result>): Promise<Result> {
  await session.query('begin read only');
  try {
    await session.query(
      `select pg_catalog.set_config('role', 'authenticated', true), pg_catalog.set_config('app.current_user_id', $1, true)`,
      [user],
    );
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
