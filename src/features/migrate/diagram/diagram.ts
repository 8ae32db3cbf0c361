import type { CatalogColumn, CatalogConstraint, CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import { refuseWithoutTables } from '../../../adapters/catalog/refuse-without-tables.js';
import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { didYouMean } from '../../../base/did-you-mean.js';
import { AisecError } from '../../../base/errors.js';

/** Mermaid takes letters, digits, hyphens and underscores in the names of types and columns. */
function word(text: string): string {
  const plain = text.replaceAll(/[^\p{L}\p{N}_-]+/gu, '_').replaceAll(/^_+|_+$/g, '');
  return /^[\p{L}_]/u.test(plain) ? plain : `_${plain}`;
}

function entityName(table: string): string {
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(table) ? table : `"${table.replaceAll('"', "'")}"`;
}

const SHORT_TYPES: Readonly<Record<string, string>> = {
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
  'character varying': 'varchar',
};

function typeWord(type: string): string {
  const base = type.replace(/\[\]$/, '');
  const array = base === type ? '' : '_array';
  const [, name = base, size = ''] = /^([^(]+)(\(.*\))?$/.exec(base) ?? [];
  return `${word(`${SHORT_TYPES[name.trim()] ?? name.trim()}${size}`)}${array}`;
}

interface ForeignKey {
  readonly table: string;
  readonly columns: readonly string[];
  readonly target: string;
}

/** The names in a list that PostgreSQL printed, without their quotes. */
function namesIn(list: string): readonly string[] {
  return [...list.matchAll(/"((?:[^"]|"")*)"|([^",\s]+)/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  );
}

function foreignKeyOf({ type, table, definition }: CatalogConstraint): ForeignKey | undefined {
  if (type !== 'foreign key') return undefined;
  const found = /^FOREIGN KEY \((.+?)\) REFERENCES ((?:"(?:[^"]|"")*"|[^\s("])+)/.exec(definition);
  if (found === null) return undefined;
  const [target = ''] = namesIn((found[2] ?? '').replace(/^.*\./, ''));
  return { table, columns: namesIn(found[1] ?? ''), target };
}

function keyColumns(
  { constraints }: CatalogSnapshot,
  table: string,
  type: CatalogConstraint['type'],
): ReadonlySet<string> {
  return new Set(
    constraints
      .filter((constraint) => constraint.table === table && constraint.type === type)
      .flatMap(({ definition }) => namesIn(/\((.*?)\)/.exec(definition)?.[1] ?? '')),
  );
}

function entity(snapshot: CatalogSnapshot, table: string, keys: readonly ForeignKey[]): readonly string[] {
  const primary = keyColumns(snapshot, table, 'primary key');
  const unique = keyColumns(snapshot, table, 'unique');
  const foreign = new Set(keys.filter((key) => key.table === table).flatMap(({ columns }) => columns));
  const marks = (column: string): string =>
    [primary.has(column) ? 'PK' : '', foreign.has(column) ? 'FK' : '', unique.has(column) ? 'UK' : '']
      .filter((mark) => mark !== '')
      .join(', ');
  const line = ({ name, type, notNull }: CatalogColumn): string =>
    ['       ', typeWord(type), word(name), marks(name), notNull ? '' : '"null"']
      .filter((part) => part !== '')
      .join(' ');
  return [
    `    ${entityName(table)} {`,
    ...snapshot.columns.filter((column) => column.table === table).map(line),
    '    }',
  ];
}

/** `||`: each row has exactly one; `|o`: or none. A row refers to one, and any number refer to it, or one when unique. */
function relation(snapshot: CatalogSnapshot, { table, columns, target }: ForeignKey): string {
  const isOptional = columns.some((column) =>
    snapshot.columns.some((found) => found.table === table && found.name === column && !found.notNull),
  );
  const isOne = ['primary key', 'unique'].some((type) => {
    const own = keyColumns(snapshot, table, type as CatalogConstraint['type']);
    return own.size === columns.length && columns.every((column) => own.has(column));
  });
  return `    ${entityName(target)} ${isOptional ? '|o' : '||'}--${isOne ? 'o|' : 'o{'} ${entityName(table)} : "${columns.join(', ').replaceAll('"', "'")}"`;
}

/** @throws AisecError USAGE for a table that is not there. */
function chosenTables(snapshot: CatalogSnapshot, wanted: readonly string[] | undefined): readonly string[] {
  const names = snapshot.tables.filter(({ bound }) => bound === null).map(({ name }) => name);
  if (wanted === undefined) return names;
  for (const table of wanted) {
    if (names.includes(table)) continue;
    const near = didYouMean(table, names);
    throw new AisecError('USAGE', `there is no table "${table}"`, {
      hint: near === undefined ? `There are: ${names.join(', ')}` : `Did you mean "${near}"?`,
    });
  }
  return names.filter((name) => wanted.includes(name));
}

/**
 * An entity-relationship diagram of a live schema in Mermaid's text. Partitions belong to their table. Reads the catalog only.
 *
 * @param tables undefined: all but partitions
 * @throws AisecError USAGE for a table that is not there, MIGRATION_PENDING.
 */
export async function readDiagram(
  session: Session,
  schema: string,
  tables: readonly string[] | undefined,
): Promise<string> {
  const catalog = await readCatalog(session, { schema, withoutHistory: true });
  if (catalog.tables.length === 0) await refuseWithoutTables(session, schema);
  const chosen = chosenTables(catalog, tables);
  const keys = catalog.constraints.flatMap((constraint) => foreignKeyOf(constraint) ?? []);
  const shown = keys.filter(({ table, target }) => chosen.includes(table) && chosen.includes(target));
  return [
    'erDiagram',
    ...chosen.flatMap((table) => entity(catalog, table, keys)),
    ...shown.map((key) => relation(catalog, key)),
  ].join('\n');
}
