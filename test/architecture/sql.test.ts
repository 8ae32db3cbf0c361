import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '..', '..');

/** `id::text as id`, also of a qualified column and with a type in quotes or of a schema. */
const AS_ITSELF = /\b(\w+)::(?:pg_catalog\.)?(?:text|char|varchar|name)\b(?:\s+collate\s+\S+)?\s+as\s+\1\b/gi;
const ORDER = /\border\s+by\s+([^`;]*?)(?:\)|\blimit\b|\boffset\b|\bfor\b|[`;]|$)/gi;

/** The statements of SQL files and those in templates of TypeScript, roughly: what matters does not cross these. */
const statements = (text: string): readonly string[] => text.split(/[`;]/);

/** The columns that a statement casts to text under their own name and then sorts by under that name alone. */
function sortedAsText(statement: string): readonly string[] {
  const cast = [...statement.matchAll(AS_ITSELF)].map(([, name]) => name ?? '');
  const orders = [...statement.matchAll(ORDER)].map(([, keys]) => keys ?? '');
  return cast.filter((name) => orders.some((keys) => new RegExp(`(?<![.\\w])${name}\\b(?!\\s*\\()`).test(keys)));
}

const FILES = ['src', 'sql', 'migrations', 'bench']
  .flatMap((directory) =>
    readdirSync(path.join(root, directory), { recursive: true, encoding: 'utf8' }).map((file) =>
      path.join(directory, file),
    ),
  )
  .filter((file) => /\.(ts|js|sql)$/.test(file));

test('no query sorts by the text of a column where it means the column', () => {
  const found = FILES.flatMap((file) =>
    statements(readFileSync(path.join(root, file), 'utf8')).flatMap((statement) =>
      sortedAsText(statement).map((column) => `${file}: ${column}`),
    ),
  );
  expect(found).toEqual([]);
});

test('a query that does so is found', () => {
  expect(sortedAsText('select place::text as place\nfrom chosen\norder by place desc\nlimit 3')).toEqual(['place']);
  expect(sortedAsText('select m.id::text as id from m where (a) order by m.created_at,\n  id')).toEqual(['id']);
  expect(sortedAsText('select m.id::text as id from m order by m.id')).toEqual([]);
});

/** Several arrays in one unnest() are syntax of the unqualified name: `rows from (pg_catalog.unnest(…), …)` is what a qualified one has. */
const ARRAYS = /pg_catalog\.unnest\((?:[^(),[]|\[[^\]]*\]|\((?:[^()]|\([^()]*\))*\))*,/;

test('no qualified unnest() is given several arrays', () => {
  expect(FILES.filter((file) => ARRAYS.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
  expect('pg_catalog.unnest(%L::bigint[], %L::text[])').toMatch(ARRAYS);
  expect('pg_catalog.unnest(pg_catalog.string_to_array($2, 1)) as a, b').not.toMatch(ARRAYS);
  expect("pg_catalog.unnest(array['a', 'b']) as a, b").not.toMatch(ARRAYS);
});
