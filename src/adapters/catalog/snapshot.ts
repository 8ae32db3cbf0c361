import { sqlFile } from '../postgres/sql-file.js';
import type { Session } from '../postgres/session.js';
import type {
  CatalogColumn,
  CatalogConstraint,
  CatalogExtension,
  CatalogExtra,
  CatalogFunction,
  CatalogGrant,
  CatalogIndex,
  CatalogPolicy,
  CatalogSequence,
  CatalogSnapshot,
  CatalogTable,
  CatalogTables,
  CatalogTrigger,
  CatalogType,
  CatalogView,
} from './catalog.js';
import { normalizeConfiguration } from './normalize-configuration.js';
import { extensionSchemas, withReadingSettings } from './reading-session.js';

export interface ReadCatalogOptions {
  readonly schema: string;
  /** Leaves out the history of the migrations, which is the toolkit's and not the platform's. Default: false. */
  readonly withoutHistory?: boolean;
}

/** Each source of migrations has its own: `pgmigrations_billing`. */
const HISTORY_TABLES = /^(?:(?:pgmigrations|aisec_migrations)(?:_[a-z0-9_]+)?|aisec_migration_repairs)$/;
const HISTORY_SEQUENCES = /^pgmigrations(?:_[a-z0-9_]+)?_id_seq$/;

const QUERIES = [
  'extensions',
  'tables',
  'columns',
  'constraints',
  'indexes',
  'triggers',
  'policies',
  'grants',
  'views',
  'functions',
  'sequences',
  'types',
  'rules-and-statistics',
] as const;

/** All queries of a snapshot: a snapshot that was kept is of use as long as they are the same. */
export function catalogQueriesText(): string {
  return QUERIES.map((name) => sqlFile(`catalog/${name}`)).join('\n');
}

/** Runs `sql/catalog/<name>.sql`; `row_level_security` becomes `rowLevelSecurity`. */
async function read<Row>(
  session: Session,
  name: (typeof QUERIES)[number],
  parameters: readonly unknown[],
): Promise<readonly Row[]> {
  const { rows } = await session.query(sqlFile(`catalog/${name}`), parameters);
  return rows.map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [
          key.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
          value,
        ]),
      ) as Row,
  );
}

/** Partitions with bounds and what is below them; `tables` comes with parents of any depth. */
function boundedPartitions(tables: readonly CatalogTable[]): ReadonlySet<string> {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const isBounded = (table: CatalogTable): boolean => {
    if (table.bound === null) return false;
    if (table.bound !== 'DEFAULT') return true;
    const parent = byName.get(table.parents[0] ?? '');
    return parent !== undefined && isBounded(parent);
  };
  return new Set(tables.filter(isBounded).map((table) => table.name));
}

function tableOfGrant(grant: CatalogGrant): string | null {
  return grant.kind === 'table' || grant.kind === 'column' ? grant.object : null;
}

function tablesWhere(all: CatalogTables, isWanted: (table: string) => boolean): CatalogTables {
  const ofTable = (item: { readonly table: string }): boolean => isWanted(item.table);
  return {
    tables: all.tables.filter((table) => isWanted(table.name)),
    columns: all.columns.filter(ofTable),
    constraints: all.constraints.filter(ofTable),
    indexes: all.indexes.filter(ofTable),
    triggers: all.triggers.filter(ofTable),
    policies: all.policies.filter(ofTable),
    grants: all.grants.filter((grant) => isWanted(tableOfGrant(grant) ?? '')),
  };
}

/**
 * Everything in one schema, in 13 queries whatever its size, in a fixed order, so that two snapshots are equal exactly
 * when the schemas are: also of two schemas with different names, and across PostgreSQL 16, 17 and 18. A schema that
 * does not exist is empty. Left out: data, owners, tablespaces, the comment of the schema itself, and what belongs to
 * extensions.
 *
 * Needs USAGE on the schema, since without it PostgreSQL prints its names qualified.
 */
export async function readCatalog(session: Session, options: ReadCatalogOptions): Promise<CatalogSnapshot> {
  const { schema } = options;
  const readExtensions = (): Promise<readonly CatalogExtension[]> => read(session, 'extensions', []);
  return withReadingSettings(session, schema, readExtensions, async (extensions) => {
    const part = <Row>(name: (typeof QUERIES)[number]): Promise<readonly Row[]> => read<Row>(session, name, [schema]);
    const all: CatalogTables = {
      tables: await part<CatalogTable>('tables'),
      columns: await part<CatalogColumn>('columns'),
      constraints: await part<CatalogConstraint>('constraints'),
      indexes: await part<CatalogIndex>('indexes'),
      triggers: await part<CatalogTrigger>('triggers'),
      policies: await part<CatalogPolicy>('policies'),
      grants: await part<CatalogGrant>('grants'),
    };
    const views = await part<CatalogView>('views');
    const functions = await part<CatalogFunction>('functions');
    const sequences = await part<CatalogSequence>('sequences');
    const types = await part<CatalogType>('types');
    const rulesAndStatistics = await part<CatalogExtra>('rules-and-statistics');

    const bounded = boundedPartitions(all.tables);
    const isHistory = (name: string): boolean =>
      options.withoutHistory === true && (HISTORY_TABLES.test(name) || HISTORY_SEQUENCES.test(name));
    const schemas = { schema, extensionSchemas: extensionSchemas(extensions) };
    return {
      ...tablesWhere(all, (table) => !bounded.has(table) && !isHistory(table)),
      grants: all.grants.filter((grant) => !bounded.has(tableOfGrant(grant) ?? '') && !isHistory(grant.object ?? '')),
      views,
      functions: functions.map((item) => ({
        ...item,
        configuration: normalizeConfiguration(item.configuration, schemas),
      })),
      sequences: sequences.filter((sequence) => !isHistory(sequence.name)),
      types,
      rulesAndStatistics: rulesAndStatistics.filter((item) => !isHistory(item.table)),
      extensions,
      partitions: tablesWhere(all, (table) => bounded.has(table)),
    };
  });
}
