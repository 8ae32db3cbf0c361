import pg from 'pg';

import type { ServerDatabase } from './database.js';

export interface MadeDatabase {
  readonly name: string;
  readonly is_template: boolean;
}

/** What `createTestDatabase({ url })` has made from this database and not dropped: templates first, then copies. */
export async function madeFrom(home: ServerDatabase): Promise<readonly MadeDatabase[]> {
  const { rows } = await home.admin.query(
    `select made.datname as name, made.datistemplate as is_template
     from pg_database as home join pg_database as made on starts_with(made.datname, 'aisec_testing_' || home.oid || '_')
     where home.datname = current_database() order by 2 desc, 1`,
  );
  return rows as MadeDatabase[];
}

export async function dropMadeFrom(home: ServerDatabase): Promise<void> {
  for (const { name } of await madeFrom(home)) {
    const quoted = pg.escapeIdentifier(name);
    await home.admin.query(`alter database ${quoted} is_template false`);
    await home.admin.query(`drop database ${quoted} with (force)`);
  }
}
