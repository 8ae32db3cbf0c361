import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { nameIn, type TocEntry } from '../contents/toc.js';

/** Kinds whose names meet in one place of the catalog. */
const ALIKE: Readonly<Record<string, string>> = {
  TABLE: 'RELATION',
  'FOREIGN TABLE': 'RELATION',
  VIEW: 'RELATION',
  'MATERIALIZED VIEW': 'RELATION',
  SEQUENCE: 'RELATION',
  PROCEDURE: 'FUNCTION',
  AGGREGATE: 'FUNCTION',
  DOMAIN: 'TYPE',
  'CHECK CONSTRAINT': 'CONSTRAINT',
  'FK CONSTRAINT': 'CONSTRAINT',
};

const OTHERS = new Set([
  'SCHEMA',
  'EXTENSION',
  'FUNCTION',
  'TYPE',
  'COLLATION',
  'INDEX',
  'STATISTICS',
  'POLICY',
  'CONSTRAINT',
  'TRIGGER',
  'RULE',
  'DEFAULT',
  'PUBLICATION',
  'PUBLICATION TABLE',
  'FOREIGN DATA WRAPPER',
  'SERVER',
  'ACCESS METHOD',
  'PROCEDURAL LANGUAGE',
  'EVENT TRIGGER',
  'OPERATOR',
  'OPERATOR CLASS',
  'OPERATOR FAMILY',
  'TEXT SEARCH PARSER',
  'TEXT SEARCH TEMPLATE',
  'TEXT SEARCH DICTIONARY',
  'TEXT SEARCH CONFIGURATION',
  'CONVERSION',
  'CAST',
]);

function groupOf(kind: string): string | undefined {
  return ALIKE[kind] ?? (OTHERS.has(kind) ? kind : undefined);
}

/** Types are in quotes in an archive that pg_dump made with quote_all_identifiers on. */
function keyOf(group: string, name: string): string {
  return `${group} ${group === 'FUNCTION' || group === 'CAST' ? name.replaceAll('"', '') : name}`;
}

/** Whether `readTargetObjects` knows entries of this kind. */
export function canBeSeen({ kind }: TocEntry): boolean {
  return groupOf(kind) !== undefined;
}

/** Returns whether the database has the object of an archive's entry, by kind and name. */
export async function readTargetObjects(session: Session): Promise<(entry: TocEntry) => boolean> {
  const rows = await withTransaction(session, async () => {
    await session.query("select pg_catalog.set_config('search_path', '', true)");
    return (await session.query<{ kind: string; description: string }>(sqlFile('backup/objects'))).rows;
  });
  const objects = new Set(rows.map(({ kind, description }) => keyOf(kind, description)));
  return (entry) => {
    const group = groupOf(entry.kind);
    return group !== undefined && objects.has(keyOf(group, nameIn(entry)));
  };
}
