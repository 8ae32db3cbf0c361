import { expect, test } from 'vitest';
import type { CatalogItem } from '../../../../src/adapters/catalog/entries.js';
import { comment, commentOfNew } from '../../../../src/features/migrate/drift/fix/comments.js';

const item = {
  table: 'Shop Items',
  name: 'by price',
  identityArguments: 'integer',
  kind: 'function',
  comment: "It's.",
};

/** Only what a comment is made of: the rest of an object is of no matter here. */
function of(kind: CatalogItem['kind'], more: object = {}): CatalogItem {
  return { kind, item: { ...item, ...more } } as unknown as CatalogItem;
}

test.each([
  [of('table'), `table "by price"`],
  [of('column'), `column "Shop Items"."by price"`],
  [of('constraint'), `constraint "by price" on "Shop Items"`],
  [of('index'), `index "by price"`],
  [of('trigger'), `trigger "by price" on "Shop Items"`],
  [of('policy'), `policy "by price" on "Shop Items"`],
  [of('view', { kind: 'materialized view' }), `materialized view "by price"`],
  [of('function'), `function "by price"(integer)`],
  [of('sequence'), `sequence "by price"`],
  [of('type', { kind: 'enum' }), `type "by price"`],
  [of('rule or statistics', { kind: 'rule' }), `rule "by price" on "Shop Items"`],
  [of('rule or statistics', { kind: 'statistics' }), `statistics "by price"`],
])('an object that a fix makes gets its comment again: %#', (made, target) => {
  expect(commentOfNew(made)).toEqual([`comment on ${target} is 'It''s.'`]);
});

test('a fix takes a comment away that the migrations do not have, and gives none to a new object', () => {
  const bare = of('index', { comment: null });
  expect(comment(bare)).toEqual(['comment on index "by price" is null']);
  expect(commentOfNew(bare)).toEqual([]);
});
