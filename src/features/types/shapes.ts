import type { CatalogColumn, CatalogSnapshot } from '../../adapters/catalog/catalog.js';
import type { ColumnChecks, ColumnShape, RelationShape } from '../../adapters/type-codegen/relation.js';
import { checkListOf } from './check-list.js';
import { columnChecksOf } from './column-checks.js';
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

async function checksByColumn(catalog: CatalogSnapshot): Promise<ReadonlyMap<string, ColumnChecks>> {
  const found = new Map<string, ColumnChecks>();
  for (const { table, type, definition } of catalog.constraints) {
    const checked = type === 'check' ? await columnChecksOf(definition) : undefined;
    if (checked === undefined) continue;
    const key = `${table}.${checked.column}`;
    const [before, more] = [found.get(key), checked.checks];
    const limits = [before?.atLeast, more.atLeast].filter((limit) => limit !== undefined);
    found.set(key, { ...before, ...more, ...(limits.length > 0 && { atLeast: Math.max(...limits) }) });
  }
  return found;
}

interface KnownChecks {
  readonly choices: ReadonlyMap<string, readonly string[]>;
  readonly others: ReadonlyMap<string, ColumnChecks>;
}

function tableColumn(column: CatalogColumn, { choices, others }: KnownChecks): ColumnShape {
  const { table, name, type, comment, notNull, identity, generated } = column;
  return {
    name,
    type,
    comment,
    isNullable: !notNull,
    hasDefault: column.default !== null || identity === 'by default',
    isAlwaysGenerated: generated !== null || identity === 'always',
    choices: choices.get(`${table}.${name}`),
    checks: others.get(`${table}.${name}`) ?? {},
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
    checks: {},
    jsonType: shown?.jsonType,
  };
}

/** The relations an application uses, sorted by name, with their columns in order: what types and validators come from. */
export async function readShapes(catalog: CatalogSnapshot): Promise<readonly RelationShape[]> {
  const granted = grantedRelations(catalog);
  const checks = { choices: await choicesByColumn(catalog), others: await checksByColumn(catalog) };
  const columnsByRelation = new Map<string, readonly CatalogColumn[]>();
  for (const column of catalog.columns)
    columnsByRelation.set(column.table, [...(columnsByRelation.get(column.table) ?? []), column]);

  const shapes = new Map<string, readonly ColumnShape[]>();
  for (const { name } of catalog.tables)
    shapes.set(
      name,
      (columnsByRelation.get(name) ?? []).map((column) => tableColumn(column, checks)),
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
