import { cp } from 'node:fs/promises';
import path from 'node:path';

import { PGlite } from '@electric-sql/pglite';
import { pgcrypto } from '@electric-sql/pglite/contrib/pgcrypto';
import { vector } from '@electric-sql/pglite-pgvector';

import { createEmbeddedDirectory } from './database.js';
import { runCli } from './run-cli.js';

let original: Promise<string> | undefined;

async function migrate(): Promise<string> {
  const dataDir = path.join(await createEmbeddedDirectory(), 'pgdata');
  const run = await runCli(['migrate', 'up'], { env: { AISEC_DATA_DIR: dataDir } });
  if (run.exitCode !== 0) throw new Error(`the embedded database could not be migrated\n${run.stderr}`);
  return dataDir;
}

/** Makes an embedded database with all migrations applied, a copy of the file's first one. Returns its data folder. */
export async function createMigratedEmbedded(): Promise<string> {
  original ??= migrate();
  const dataDir = path.join(await createEmbeddedDirectory(), 'pgdata');
  await cp(await original, dataDir, { recursive: true });
  return dataDir;
}

/** The rows of a query on an embedded database that nobody has open. */
export async function queryEmbedded(dataDir: string, sql: string, params: unknown[] = []): Promise<readonly unknown[]> {
  const engine = await PGlite.create({ dataDir, extensions: { vector, pgcrypto } });
  try {
    return (await engine.query(sql, params)).rows;
  } finally {
    await engine.close();
  }
}
