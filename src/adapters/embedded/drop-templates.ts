import type { PGlite } from '@electric-sql/pglite';

const DROP = [
  "update pg_catalog.pg_database set datistemplate = false where datname in ('template0', 'template1')",
  'drop database template0',
  'drop database template1',
  'checkpoint',
];

/**
 * Drops the two databases that initdb makes for CREATE DATABASE: the engine has one session, so that no other database can ever
 * be reached. They are half of the files and bytes that a new database, and each copy of one, would have: 31 MB, 16 without.
 */
export async function dropTemplates(engine: PGlite): Promise<void> {
  // One at a time: dropping a database is not for a transaction, which several statements in one message are.
  for (const statement of DROP) await engine.exec(statement);
}
