import type { CatalogColumn, CatalogSnapshot } from '../../adapters/catalog/catalog.js';
import { groupBy } from '../../base/group-by.js';
import { checkListOf } from './check-list.js';
import { choicesOf } from './choices.js';
import { columnChecksOf } from './column-checks.js';
import type { ColumnTypes, TypedColumn } from './column-types.js';
import type { ColumnChecks, ColumnShape } from './relation.js';
import { viewColumns, type ViewColumn } from './view-columns.js';

interface Check {
  /** `table.column`. */
  readonly key: string;
  readonly choices: readonly string[] | undefined;
  readonly checks: ColumnChecks;
}

/** What one CHECK says of one column, of a table or of the value of a domain. */
async function readCheck(table: string, definition: string): Promise<Check | undefined> {
  const list = await checkListOf(definition);
  const checked = await columnChecksOf(definition);
  const column = list?.column ?? checked?.column;
  if (column === undefined) return undefined;
  return { key: `${table}.${column}`, choices: list?.choices, checks: checked?.checks ?? {} };
}

type KnownChecks = ReadonlyMap<string, readonly Check[]>;

async function checksByColumn(catalog: CatalogSnapshot): Promise<KnownChecks> {
  const found = new Map<string, Check[]>();
  for (const { table, type, definition, validated } of catalog.constraints) {
    const check = type === 'check' ? await readCheck(table, definition) : undefined;
    if (check === undefined) continue;
    // Rows from before one that is not validated may hold anything.
    const held = validated ? check : { ...check, choices: undefined };
    found.set(check.key, [...(found.get(check.key) ?? []), held]);
  }
  return found;
}

function mergeChecks(all: readonly Check[]): ColumnChecks {
  const limits = all.flatMap(({ checks }) => checks.atLeast ?? []);
  return {
    ...(all.some(({ checks }) => checks.isNotBlank === true) && { isNotBlank: true }),
    ...(limits.length > 0 && { atLeast: Math.max(...limits) }),
  };
}

/** What all lists of one column allow. */
function mergeChoices(all: readonly Check[]): readonly string[] | undefined {
  const lists = all.flatMap(({ choices }) => (choices === undefined ? [] : [choices]));
  const [first] = lists;
  return first?.filter((choice) => lists.every((list) => list.includes(choice)));
}

async function tableColumn(column: CatalogColumn, typed: TypedColumn, known: KnownChecks): Promise<ColumnShape> {
  const { table, name, comment, notNull, identity, generated } = column;
  const ofDomain = await Promise.all(typed.domainChecks.map((definition) => readCheck(table, definition)));
  const all = [...(known.get(`${table}.${name}`) ?? []), ...ofDomain.filter((check) => check !== undefined)];
  const listed = mergeChoices(all);
  return {
    name,
    type: typed.type,
    comment,
    isNullable: !notNull && !typed.domainNotNull,
    hasDefault: column.default !== null || identity === 'by default' || typed.domainHasDefault,
    isAlwaysGenerated: generated !== null || identity === 'always',
    choices: listed === undefined ? undefined : choicesOf(typed.type, listed),
    checks: mergeChecks(all),
    jsonType: typed.jsonType,
  };
}

/** `comment on column … is '… @notnull'` promises what the definition does not show. */
function viewColumn(
  column: CatalogColumn,
  typed: TypedColumn,
  known: ViewColumn | undefined,
  shown: ColumnShape | undefined,
): ColumnShape {
  const isPromised = /(^|\s)@notnull(\s|$)/.test(column.comment ?? '');
  return {
    name: column.name,
    type: typed.type,
    comment: column.comment,
    isNullable: !isPromised && (known?.isNullable ?? true),
    hasDefault: false,
    isAlwaysGenerated: false,
    choices: shown?.choices,
    checks: {},
    jsonType: shown?.jsonType,
  };
}

/** The columns of all tables and views of one schema, in order, by relation. */
export async function readColumns(
  catalog: CatalogSnapshot,
  typesOf: ColumnTypes,
): Promise<ReadonlyMap<string, readonly ColumnShape[]>> {
  const known = await checksByColumn(catalog);
  const columnsByRelation = groupBy(catalog.columns, ({ table }) => table);
  const shapes = new Map<string, readonly ColumnShape[]>();
  for (const { name } of catalog.tables) {
    const own = columnsByRelation.get(name) ?? [];
    shapes.set(name, await Promise.all(own.map((column) => tableColumn(column, typesOf(name, column.name), known))));
  }
  const views = [...catalog.views];
  // A view may show another one: each pass settles those whose views are settled, whatever their names.
  for (let pass = 0; pass < views.length; pass += 1) {
    for (const { name, definition } of views) {
      const columns = await viewColumns(definition, (relation) => shapes.get(relation));
      const shaped = (columnsByRelation.get(name) ?? []).map((column, index) => {
        const origin = columns[index]?.origin;
        const shown = origin && shapes.get(origin.relation)?.find((candidate) => candidate.name === origin.column);
        return viewColumn(column, typesOf(name, column.name), columns[index], shown);
      });
      shapes.set(name, shaped);
    }
  }
  return shapes;
}
