import { refuseWithoutTables } from '../../adapters/catalog/refuse-without-tables.js';
import { readCatalog } from '../../adapters/catalog/snapshot.js';
import type { CatalogSnapshot } from '../../adapters/catalog/catalog.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { SCHEMA_COLUMNS } from '../../schema/columns.js';
import { readColumnTypes } from './column-types.js';
import { Names, wantedName } from './names.js';
import type { ColumnShape, RelationShape } from './relation.js';
import { selector, type LeftOut, type Selection } from './selection.js';
import { readColumns } from './shapes.js';

interface Found {
  readonly key: string;
  readonly schema: string;
  readonly name: string;
  readonly isView: boolean;
  readonly isGranted: boolean;
  readonly comment: string | null;
  readonly columns: readonly ColumnShape[];
}

export interface Relations {
  /** Sorted by key. */
  readonly relations: readonly RelationShape[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * What role authenticated has a privilege on. The months, message_keys and the toolkit's own tables have none
 * (docs/adr/0010), so no list of them is kept here.
 */
function grantedRelations(catalog: CatalogSnapshot): ReadonlySet<string> {
  const ofRole = catalog.grants.filter(({ kind, grantee }) => kind !== 'function' && grantee === 'authenticated');
  return new Set(ofRole.flatMap(({ object }) => object ?? []));
}

async function relationsOf(session: Session, schema: string, isPlatform: boolean): Promise<readonly Found[]> {
  const catalog = await readCatalog(session, { schema, withoutHistory: true });
  const columns = await readColumns(catalog, await readColumnTypes(session, schema, isPlatform));
  const granted = grantedRelations(catalog);
  const viewNames = new Set(catalog.views.map(({ name }) => name));
  return [...catalog.tables, ...catalog.views].flatMap((item) => {
    if ('bound' in item && item.bound !== null) return [];
    const { name, comment } = item;
    return {
      key: isPlatform ? name : `${schema}.${name}`,
      schema,
      name,
      isView: viewNames.has(name),
      isGranted: granted.has(name),
      comment,
      columns: columns.get(name) ?? [],
    };
  });
}

function byKey<Item extends { readonly key: string }>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((one, other) => (one.key < other.key ? -1 : 1));
}

/** The platform's own tables keep the names they have in aisec/schema, whatever else there is. */
function named(found: readonly Found[], platform: string): readonly RelationShape[] {
  const names = new Names();
  const isBundled = ({ schema, name }: Found): boolean => schema === platform && Object.hasOwn(SCHEMA_COLUMNS, name);
  const inOrder = [...found.filter(isBundled), ...found.filter((each) => !isBundled(each))];
  const taken = inOrder.map(({ key, schema, name, isView, comment, columns }) => {
    const wanted = wantedName(name, schema === platform ? undefined : schema);
    return { key, isView, comment, columns, ...names.take(wanted) };
  });
  return byKey(taken);
}

async function checkSchemas(session: Session, schemas: readonly string[]): Promise<void> {
  const { rows } = await session.query<{ name: string }>('select nspname::text as name from pg_catalog.pg_namespace');
  const missing = schemas.find((schema) => !rows.some(({ name }) => name === schema));
  if (missing === undefined) return;
  throw new AisecError('USAGE', `there is no schema "${missing}"`, { hint: 'Give names of schemas, with commas.' });
}

/**
 * The tables and views that an application uses, with their columns in order: what types and validators come from. And
 * those that are left out, each with the reason.
 *
 * @throws AisecError USAGE for a schema or a pattern that names nothing, MIGRATION_PENDING for a schema without a table, DATABASE_FAILED.
 */
export async function readRelations(session: Session, selection: Selection): Promise<Relations> {
  const { schema } = selection;
  const schemas = [schema, ...selection.schemas.filter((each) => each !== schema)];
  await checkSchemas(session, selection.schemas);
  const found: Found[] = [];
  for (const each of schemas) found.push(...(await relationsOf(session, each, each === schema)));
  // A file of types that others import would lose all of them.
  if (found.length === 0) await refuseWithoutTables(session, schema);
  const isSelected = selector(
    selection,
    found.map(({ key }) => key),
  );
  const others = await session.query<{ schema: string; name: string }>(sqlFile('types/other-schemas'), [schemas]);
  const leftOut: LeftOut[] = [
    ...others.rows.map((row) => ({ relation: `${row.schema}.${row.name}`, reason: 'other schema' as const })),
    ...byKey(found).flatMap(({ key, isGranted }) => {
      if (isSelected(key)) return isGranted ? [] : { relation: key, reason: 'no privilege' as const };
      return { relation: key, reason: 'excluded' as const };
    }),
  ];
  const used = byKey(found).filter(({ key, isGranted }) => isGranted && isSelected(key));
  return { relations: named(used, schema), leftOut };
}
