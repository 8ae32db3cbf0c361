import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';

import { createDatabase } from '../../../src/index.js';
import { printedSeed, seeded } from '../../support/chance.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { DeclaredTypes, isOfType } from './declared-types.js';
import { makeOddCatalog, ODD_SCHEMA, type OddTable } from './odd-catalog.js';

const root = path.join(import.meta.dirname, '..', '..', '..');
const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const ZONES = ['America/New_York', 'Pacific/Auckland'];

/** What is read, as a validator takes it for an insert: JSON as its text. */
function asWritten(base: string, value: unknown): unknown {
  return base === 'json' || base === 'jsonb' ? JSON.stringify(value) : value;
}

/** What a validator makes of vectors: their texts. */
function vectorsAsText(base: string, value: unknown): unknown {
  if (!['vector', 'halfvec'].includes(base) || !Array.isArray(value)) return value;
  const items: readonly unknown[] = value;
  return items.some((item) => Array.isArray(item))
    ? items.map((item) => vectorsAsText(base, item))
    : JSON.stringify(items);
}

/** Boxes, and a domain of arrays, as the text of the whole. */
function arrayAsWritten(base: string, items: readonly unknown[], text: string): unknown {
  if (base === 'box' || base === 'numbers') return text;
  return items.map((item) => (item === null ? null : asWritten(base, item)));
}

describeOnServer('a catalog with every type and odd names', () => {
  const random = seeded(printedSeed('every type'));
  const timeZone = process.env['TZ'];
  let directory: string;
  let database: ServerDatabase;
  let tables: readonly OddTable[];
  let types: string;

  async function generate(file: string, ...args: readonly string[]): Promise<string> {
    const out = path.join(directory, file);
    const from = ['--source', 'database', '--schemas', ODD_SCHEMA, ...args, '--out', out];
    const run = await runInProcess(['types', 'generate', ...from], { env: { DATABASE_URL: database.url } });
    expect(run).toMatchObject({ exitCode: 0, stdout: '' });
    return readFileSync(out, 'utf8');
  }

  beforeAll(async () => {
    mkdirSync(path.join(root, '.aisec'), { recursive: true });
    directory = mkdtempSync(path.join(root, '.aisec', 'test-types-'));
    database = await createServerDatabase({ migrated: true });
    tables = await makeOddCatalog(database, random);
    types = await generate('db.ts', '--import-from', '../../src/schema/index.js');
    await generate('checks.ts', '--validators', '--import-from', '../../src/zod/index.js');
  });
  afterAll(() => {
    if (timeZone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = timeZone;
    rmSync(directory, { recursive: true, force: true });
  });

  test('has types and validators that compile, and the validators give what the types take', () => {
    const rows = Array.from(types.matchAll(/^export type New(\S+) = Insertable/gmu), ([, name = '']) => name);
    expect(rows.length).toBeGreaterThan(tables.length);
    expect(new Set(rows).size).toBe(rows.length);
    const fits = rows.map(
      (name, index) => `export const fits${index} = (row: z.output<typeof checks.new${name}>): db.New${name} => row;`,
    );
    const imports = `import type * as db from './db.js';\nimport * as checks from './checks.js';\nimport type { z } from 'zod';\n`;
    writeFileSync(path.join(directory, 'use.ts'), imports + fits.join('\n'));
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
    const compile = [compiler, '--ignoreConfig', ...options, '--types', 'node', 'use.ts'];
    const run = spawnSync(process.execPath, compile, { cwd: directory, encoding: 'utf8' });
    expect(run.stdout).toBe('');
  });

  test.each(ZONES)('gives values of these types, and takes them back as they were, in %s', async (zone) => {
    process.env['TZ'] = zone;
    const declared = new DeclaredTypes(types);
    const validators = (await import(path.join(directory, 'checks.ts'))) as Record<string, z.ZodObject>;
    const db: Kysely<unknown> = createDatabase<unknown>({ url: database.url });
    const faults: string[] = [];
    let seen = 0;
    for (const table of tables) {
      const { base, value, array } = table;
      const key = table.schema === 'public' ? table.name : `${table.schema}.${table.name}`;
      const from = sql.id(table.schema, table.name);
      const canonical = base === 'json' ? sql`::text::jsonb` : sql``;
      const texts = async () =>
        (
          await sql<{
            one: string;
            many: string;
          }>`select ${sql.id(value)}${canonical}::text as one, ${sql.id(array)}::text as many from ${from} order by id`.execute(
            db,
          )
        ).rows;
      const before = await texts();
      const { rows } = await sql<Record<string, unknown>>`select * from ${from} order by id`.execute(db);
      const validator = validators[declared.updateOf(key)];
      for (const [index, row] of rows.entries()) {
        for (const column of [value, array]) {
          seen += 1;
          if (!isOfType(declared.column(key, column), row[column]))
            faults.push(`${table.type}, ${column === array ? 'array' : 'value'}: ${JSON.stringify(row[column])}`);
        }
        const given = {
          [value]: asWritten(base, row[value]),
          [array]: arrayAsWritten(base, row[array] as unknown[], before[index]?.many ?? ''),
        };
        // Zod cannot have such a key.
        const { ['__proto__']: _proto, ...known } = given;
        const checked = validator?.safeParse(known);
        if (checked?.success !== true)
          faults.push(`${table.type}, validator: ${JSON.stringify(given)} ${checked?.error?.message}`);
        const change = new Map(Object.entries({ ...given, ...checked?.data }));
        change.set('__proto__', vectorsAsText(base, change.get('__proto__')));
        const set = sql`${sql.id(value)} = ${change.get(value)}, ${sql.id(array)} = ${change.get(array)}`;
        await sql`update ${from} set ${set} where id = ${row['id']}`
          .execute(db)
          .catch((error: unknown) => faults.push(`${table.type}, written: ${JSON.stringify(given)} ${String(error)}`));
      }
      const after = await texts();
      if (base !== 'json' && JSON.stringify(after) !== JSON.stringify(before))
        faults.push(`${table.type}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`);
    }
    await db.destroy();
    expect(faults).toEqual([]);
    expect(seen).toBeGreaterThan(400);
  });
});
