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

test('no query sorts by the text of a column where it means the column', () => {
  const files = ['src', 'sql', 'migrations', 'bench']
    .flatMap((directory) =>
      readdirSync(path.join(root, directory), { recursive: true, encoding: 'utf8' }).map((file) =>
        path.join(directory, file),
      ),
    )
    .filter((file) => /\.(ts|js|sql)$/.test(file));
  const found = files.flatMap((file) =>
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
