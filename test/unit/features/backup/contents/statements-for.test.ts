import { expect, test } from 'vitest';

import { parseStatements } from '../../../../../src/adapters/sql-parser/statements.js';
import { statementsFor } from '../../../../../src/features/backup/contents/statements-for.js';

async function taken(sql: string, major: number): Promise<readonly string[]> {
  const parsed = await parseStatements(sql);
  if ('error' in parsed) throw new Error(parsed.error.message);
  return (await statementsFor(parsed.statements, major)).map(({ text }) => text.replaceAll(/\s+/g, ' '));
}

test('NOT NULL of an inherited column comes after the table where the server does not take it inside', async () => {
  const towns = `CREATE TABLE public."Tö""wns" (
    NOT NULL "näme, x",
    people integer DEFAULT (length('NOT NULL a, b')) NOT NULL,
    NOT NULL k,
    CONSTRAINT positive CHECK ((people > 0))
)
INHERITS (public.places)`;
  expect(await taken(towns, 17)).toEqual([
    `CREATE TABLE public."Tö""wns" ( people integer DEFAULT (length('NOT NULL a, b')) NOT NULL, CONSTRAINT positive CHECK ((people > 0)) ) INHERITS (public.places)`,
    'ALTER TABLE ONLY "public"."Tö""wns" ALTER COLUMN "näme, x" SET NOT NULL',
    'ALTER TABLE ONLY "public"."Tö""wns" ALTER COLUMN "k" SET NOT NULL',
  ]);
  expect(await taken(towns, 18)).toEqual([towns.replaceAll(/\s+/g, ' ')]);
  expect(await taken('create table app.child (not null id) inherits (app.parent)', 16)).toEqual([
    'create table app.child ( ) inherits (app.parent)',
    'ALTER TABLE ONLY "app"."child" ALTER COLUMN "id" SET NOT NULL',
  ]);
  expect(await taken('create foreign table f (not null id, b int[]) inherits (p) server s', 17)).toEqual([
    'create foreign table f ( b int[] ) inherits (p) server s',
    'ALTER TABLE ONLY "f" ALTER COLUMN "id" SET NOT NULL',
  ]);
});

test('what a server keeps of a column for itself is left out, and its other options stay', async () => {
  expect(await taken('ALTER TABLE ONLY a.b ALTER COLUMN c SET (pg_attver=26456760)', 18)).toEqual([]);
  expect(await taken('ALTER TABLE ONLY a.b ALTER COLUMN c SET (n_distinct=5, pg_attver=26456760)', 17)).toEqual([
    'ALTER TABLE ONLY a.b ALTER COLUMN c SET (n_distinct=5)',
  ]);
  expect(await taken('ALTER TABLE ONLY a.b ALTER COLUMN "pg_attver=1" SET (pg_attver=2, n_distinct=5)', 16)).toEqual([
    'ALTER TABLE ONLY a.b ALTER COLUMN "pg_attver=1" SET (n_distinct=5)',
  ]);
});

test('a partitioned table is UNLOGGED only where the server takes that', async () => {
  const parent = 'CREATE UNLOGGED TABLE a.b ( id integer ) PARTITION BY LIST (id)';
  expect(await taken(parent, 17)).toEqual([parent]);
  expect(await taken(parent, 18)).toEqual(['CREATE TABLE a.b ( id integer ) PARTITION BY LIST (id)']);
  expect(await taken('CREATE UNLOGGED TABLE a.c (id integer)', 18)).toEqual(['CREATE UNLOGGED TABLE a.c (id integer)']);
});
