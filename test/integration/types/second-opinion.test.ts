import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../../support/database.js';

const root = path.join(import.meta.dirname, '..', '..', '..');
const codegen = path.join(root, 'node_modules', 'kysely-codegen', 'dist', 'cli', 'bin.js');

/** The members of an interface, by its name: columns of a table, or tables of a database. */
function membersOf(source: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const interfaces = [...source.matchAll(/^export interface (\w+) \{\n(.*?)^\}/gmsu)];
  return new Map(
    interfaces.map(([, name = '', body = '']) => [
      name,
      new Map(
        [...body.matchAll(/^ {2}(?:readonly )?"?'?(\w+)"?'?: (.+);$/gmu)].map(([, key = '', type = '']) => [key, type]),
      ),
    ]),
  );
}

/** Its columns, by the name of a table or view. */
function tablesOf(source: string): ReadonlyMap<string, readonly string[]> {
  const members = membersOf(source);
  const tables = members.get('DB') ?? members.get('Database') ?? new Map<string, string>();
  return new Map([...tables].map(([table, type]) => [table, [...(members.get(type)?.keys() ?? [])].toSorted()]));
}

describeOnServer('the types of the schema beside those of kysely-codegen', () => {
  test('have every column of every table that they have, and no other', async () => {
    const database = await createServerDatabase({ migrated: true });
    const args = [codegen, '--dialect', 'postgres', '--default-schema', 'public', '--print'];
    const env = { ...process.env, DATABASE_URL: database.url };
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: root, maxBuffer: 1e8 });
    const theirs = tablesOf(stdout);
    const ours = tablesOf(readFileSync(path.join(root, 'src', 'schema', 'database.ts'), 'utf8'));
    expect(ours.size).toBeGreaterThan(15);
    expect([...ours.values()].filter((columns) => columns.length < 2)).toEqual([]);
    for (const [table, columns] of ours) expect({ table, columns }).toEqual({ table, columns: theirs.get(table) });
  });
});
