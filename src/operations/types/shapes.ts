import type { CatalogColumn, CatalogSnapshot } from '../../adapters/catalog/catalog.js';
import type { ColumnShape, RelationShape } from '../../adapters/type-codegen/relation.js';
import { checkListOf } from './check-list.js';
import { jsonTypeOf, rowNameOf } from './names.js';
import { viewColumns, type ViewColumn } from './view-columns.js';

/**
 * What role authenticated has a privilege on. The months, message_keys and the toolkit's own tables have none
 * (docs/adr/0010), so no list of them is kept here.
 */
function grantedRelations(catalog: CatalogSnapshot): ReadonlySet<string> {
  const ofRole = catalog.grants.filter(({ kind, grantee }) => kind !== 'function' && grantee === 'authenticated');
  return new Set(ofRole.flatMap(({ object }) => object ?? []));
}

async function choicesByColumn(catalog: CatalogSnapshot): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const { table, type, definition, validated } of catalog.constraints) {
    const list = type === 'check' && validated ? await checkListOf(definition) : undefined;
    if (list === undefined) continue;
    const key = `${table}.${list.column}`;
    const before = found.get(key);
    found.set(key, before === undefined ? list.choices : before.filter((choice) => list.choices.includes(choice)));
  }
  return found;
}

function tableColumn(column: CatalogColumn, choices: ReadonlyMap<string, readonly string[]>): ColumnShape {
  const { table, name, type, comment, notNull, identity, generated } = column;
  return {
    name,
    type,
    comment,
    isNullable: !notNull,
    hasDefault: column.default !== null || identity === 'by default',
    isAlwaysGenerated: generated !== null || identity === 'always',
    choices: choices.get(`${table}.${name}`),
    jsonType: jsonTypeOf(table, name),
  };
}

/** `comment on column … is '… @notnull'` promises what the definition does not show. */
function viewColumn(column: CatalogColumn, known: ViewColumn | undefined, shown: ColumnShape | undefined): ColumnShape {
  const isPromised = /(^|\s)@notnull(\s|$)/.test(column.comment ?? '');
  return {
    name: column.name,
    type: column.type,
    comment: column.comment,
    isNullable: !isPromised && (known?.isNullable ?? true),
    hasDefault: false,
    isAlwaysGenerated: false,
    choices: shown?.choices,
    jsonType: shown?.jsonType,
  };
}

/** The relations an application uses, sorted by name, with their columns in order: what types and validators come from. */
export async function readShapes(catalog: CatalogSnapshot): Promise<readonly RelationShape[]> {
  const granted = grantedRelations(catalog);
  const choices = await choicesByColumn(catalog);
  const columnsByRelation = new Map<string, readonly CatalogColumn[]>();
  for (const column of catalog.columns)
    columnsByRelation.set(column.table, [...(columnsByRelation.get(column.table) ?? []), column]);

  const shapes = new Map<string, readonly ColumnShape[]>();
  for (const { name } of catalog.tables)
    shapes.set(
      name,
      (columnsByRelation.get(name) ?? []).map((column) => tableColumn(column, choices)),
    );
  const views = [...catalog.views];
  // A view may show another one: each pass settles those whose views are settled, whatever their names.
  for (let pass = 0; pass < views.length; pass += 1) {
    for (const { name, definition } of views) {
      const known = await viewColumns(definition, (relation) => shapes.get(relation));
      const columns = (columnsByRelation.get(name) ?? []).map((column, index) => {
        const origin = known[index]?.origin;
        const shown = origin && shapes.get(origin.relation)?.find((candidate) => candidate.name === origin.column);
        return viewColumn(column, known[index], shown);
      });
      shapes.set(name, columns);
    }
  }
  const viewNames = new Set(views.map(({ name }) => name));
  const all = [...catalog.tables, ...views].filter(({ name, ...item }) => {
    const isPartition = 'bound' in item && item.bound !== null;
    return granted.has(name) && !isPartition;
  });
  return all
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, comment }) => ({
      name,
      isView: viewNames.has(name),
      comment,
      rowName: rowNameOf(name),
      columns: shapes.get(name) ?? [],
    }));
}
