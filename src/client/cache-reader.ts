import type { Kysely } from 'kysely';

import { COLUMNS, freezeRow, type CachedTable, ALL_ROWS, type Rows } from '../features/cache/index.js';
import type { DB } from '../schema/index.js';
import { withUser } from './with-user.js';

/** Rows of one table that are kept together. */
export interface CacheQuery {
  readonly table: CachedTable;
  /** Whose rows; empty: every user's. */
  readonly owner: string;
  /** Which of them. */
  readonly key: string;
}

/** Settings are read as a user that does not exist: every user reads them all. */
const NO_USER_ID = '00000000-0000-0000-0000-000000000000';

async function select(db: Kysely<DB>, { table, owner, key }: CacheQuery): Promise<Rows> {
  switch (table) {
    case 'system_settings':
      return db.selectFrom(table).select(COLUMNS[table]).where('key', '=', key).execute();
    case 'user_preferences':
      return db.selectFrom(table).select(COLUMNS[table]).where('user_id', '=', owner).execute();
    case 'assistants': {
      const own = db.selectFrom(table).select(COLUMNS[table]).where('user_id', '=', owner);
      return (key === ALL_ROWS ? own.orderBy('created_at').orderBy('id') : own.where('id', '=', key)).execute();
    }
  }
}

/** Reads from the database, as the owner: row-level security decides, and the condition says the same once more. */
export async function loadRows(db: Kysely<DB>, query: CacheQuery, role: string | undefined): Promise<Rows> {
  const options = { isReadOnly: true, ...(role !== undefined && { role }) };
  const rows = await withUser(db, query.owner === '' ? NO_USER_ID : query.owner, (trx) => select(trx, query), options);
  for (const row of rows) freezeRow(row);
  return rows;
}
