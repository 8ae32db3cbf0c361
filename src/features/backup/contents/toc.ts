import { nameInSql } from '../../../base/identifier.js';

/** One entry of an archive's table of contents. */
export interface TocEntry {
  readonly dumpId: number;
  /** `TABLE`, `ROW SECURITY`, `FK CONSTRAINT` … */
  readonly kind: string;
  /** Schema, tag and owner, each after a blank; the first two may hold blanks themselves, and `-` is no schema. */
  readonly description: string;
  /** Where its name has blanks and the archive has the schema, too; else it is the first word of the description. */
  readonly schema?: string | undefined;
  /** Dump ids; some may not be in the archive. */
  readonly dependsOn: readonly number[];
  /** As `pg_restore --list` printed it, for `--use-list`. */
  readonly line: string;
}

/** What the head of an archive says. */
export interface Toc {
  readonly databaseName: string;
  /** Majors, such as 17. */
  readonly serverMajor: number;
  readonly toolMajor: number;
  readonly entries: readonly TocEntry[];
}

/** Longest first, so that TABLE does not swallow TABLE DATA. A kind that is not here is its first word. */
const KINDS_OF_SEVERAL_WORDS = [
  'TEXT SEARCH CONFIGURATION',
  'TEXT SEARCH DICTIONARY',
  'TEXT SEARCH TEMPLATE',
  'TEXT SEARCH PARSER',
  'MATERIALIZED VIEW DATA',
  'DATABASE PROPERTIES',
  'PUBLICATION TABLES IN SCHEMA',
  'FOREIGN DATA WRAPPER',
  'PROCEDURAL LANGUAGE',
  'SUBSCRIPTION TABLE',
  'MATERIALIZED VIEW',
  'PUBLICATION TABLE',
  'SEQUENCE OWNED BY',
  'CHECK CONSTRAINT',
  'STATISTICS DATA',
  'OPERATOR FAMILY',
  'SECURITY LABEL',
  'FK CONSTRAINT',
  'FOREIGN TABLE',
  'FOREIGN SERVER',
  'OPERATOR CLASS',
  'ACCESS METHOD',
  'BLOB METADATA',
  'EVENT TRIGGER',
  'INDEX ATTACH',
  'ROW SECURITY',
  'SEQUENCE SET',
  'TABLE ATTACH',
  'DEFAULT ACL',
  'SHELL TYPE',
  'TABLE DATA',
  'USER MAPPING',
] as const;

function readEntry(line: string): TocEntry | undefined {
  const [, id = '', rest = ''] = /^(\d+); \d+ \d+ (.+)$/.exec(line) ?? [];
  if (id === '') return undefined;
  const kind = KINDS_OF_SEVERAL_WORDS.find((name) => rest.startsWith(`${name} `)) ?? rest.split(' ', 1)[0] ?? '';
  return { dumpId: Number(id), kind, description: rest.slice(kind.length + 1), dependsOn: [], line };
}

/** With `_` for each blank in the owner's name, so that the owner is the last word. */
function withOwnerAsWord(entry: TocEntry, owners: readonly string[]): TocEntry {
  const owner = owners.find((name) => name.includes(' ') && entry.description.endsWith(` ${name}`));
  if (owner === undefined) return entry;
  return { ...entry, description: `${entry.description.slice(0, -owner.length)}${owner.replaceAll(' ', '_')}` };
}

/**
 * Reads what `pg_restore --list --verbose` prints; only --verbose prints what an entry depends on.
 *
 * @param owners the roles that own something in the archive
 */
export function parseToc(text: string, owners: readonly string[] = []): Toc {
  const entries: TocEntry[] = [];
  const head = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^;\s+([A-Z][^:]*|dbname): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && entries.length === 0) head.set(name, value);
    const [, ids] = /^;\tdepends on:((?: \d+)+)/.exec(line) ?? [];
    const last = entries.at(-1);
    if (ids !== undefined && last !== undefined) {
      entries[entries.length - 1] = { ...last, dependsOn: ids.trim().split(' ').map(Number) };
      continue;
    }
    const entry = readEntry(line);
    if (entry !== undefined) entries.push(withOwnerAsWord(entry, owners));
  }
  const schemas = entries.flatMap((entry) => (entry.kind === 'SCHEMA' ? [nameIn(entry).slice(2)] : []));
  const blank = schemas.filter((name) => name.includes(' ')).toSorted((one, other) => other.length - one.length);
  const placed = entries.map((entry): TocEntry => {
    const schema = blank.find((name) => entry.description.startsWith(`${name} `));
    return schema === undefined ? entry : { ...entry, schema };
  });
  return {
    databaseName: head.get('dbname') ?? '',
    serverMajor: Number.parseInt(head.get('Dumped from database version') ?? '', 10),
    toolMajor: Number.parseInt(head.get('Dumped by pg_dump version') ?? '', 10),
    entries: placed,
  };
}

/** The schema that an entry is in; `-`: none. */
export function schemaOf({ description, schema }: TocEntry): string {
  return schema ?? description.split(' ', 1)[0] ?? '';
}

/** `schema name` of an entry, as of a table: all but the owner. */
export function nameIn({ description }: Pick<TocEntry, 'description'>): string {
  return description.replace(/ [^ ]*$/, '');
}

/** The name of an entry without its schema, not quoted. */
export function bareName(entry: TocEntry): string {
  return nameIn(entry).slice(schemaOf(entry).length + 1);
}

/** `schema.name` of an entry, for people. */
export function qualified(entry: TocEntry): string {
  return `${schemaOf(entry)}.${bareName(entry)}`;
}

/** The same as SQL and the options of restore take it. */
export function namedInSql(entry: TocEntry): string {
  return `${nameInSql(schemaOf(entry))}.${nameInSql(bareName(entry))}`;
}

/** `table app.users`, for people. */
export function described(entry: TocEntry): string {
  return `${entry.kind.toLowerCase()} ${qualified(entry).replace(/^-\./, '')}`;
}
