import { expect, test } from 'vitest';

import { displayName, placeOf, tableIn } from '../../../../src/adapters/catalog/references/reference.js';
import { recordedTable } from '../../../../src/features/user/erase/recorded-tables.js';

test('a key of a table gives back the names it was made of, whatever they hold', () => {
  for (const [schema, table] of [
    ['my tenant', 'a b'],
    ['a', 'tenant.b'],
    ['o"dd', '"."'],
    ['', ' '],
  ] as const)
    expect(placeOf(tableIn(schema, table))).toEqual({ schema, table });
  expect(tableIn('a b', 'c')).not.toBe(tableIn('a', 'b c'));
  expect(displayName(tableIn('my tenant', 'users'))).toBe('"my tenant".users');
});

test('a record of an erasure names its tables by keys, or, written by an older version, by schema and table', () => {
  expect(recordedTable('"my tenant"."a b"')).toBe('"my tenant"."a b"');
  expect(recordedTable('public api_usage')).toBe('"public"."api_usage"');
});
