import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { TocEntry } from '../contents/toc.js';

const GROUPS: Readonly<Record<string, string>> = {
  SCHEMA: 'SCHEMA',
  EXTENSION: 'EXTENSION',
  TABLE: 'RELATION',
  'FOREIGN TABLE': 'RELATION',
  VIEW: 'RELATION',
  'MATERIALIZED VIEW': 'RELATION',
  SEQUENCE: 'RELATION',
  FUNCTION: 'FUNCTION',
  PROCEDURE: 'FUNCTION',
  AGGREGATE: 'FUNCTION',
  TYPE: 'TYPE',
  DOMAIN: 'TYPE',
  COLLATION: 'COLLATION',
  INDEX: 'INDEX',
  STATISTICS: 'STATISTICS',
  POLICY: 'POLICY',
  CONSTRAINT: 'CONSTRAINT',
  'CHECK CONSTRAINT': 'CONSTRAINT',
  'FK CONSTRAINT': 'CONSTRAINT',
  TRIGGER: 'TRIGGER',
  RULE: 'RULE',
  DEFAULT: 'DEFAULT',
  PUBLICATION: 'PUBLICATION',
  'PUBLICATION TABLE': 'PUBLICATION TABLE',
  'FOREIGN DATA WRAPPER': 'FOREIGN DATA WRAPPER',
  SERVER: 'SERVER',
  'ACCESS METHOD': 'ACCESS METHOD',
  'PROCEDURAL LANGUAGE': 'PROCEDURAL LANGUAGE',
  'EVENT TRIGGER': 'EVENT TRIGGER',
  OPERATOR: 'OPERATOR',
  'OPERATOR CLASS': 'OPERATOR CLASS',
  'OPERATOR FAMILY': 'OPERATOR FAMILY',
  'TEXT SEARCH PARSER': 'TEXT SEARCH PARSER',
  'TEXT SEARCH TEMPLATE': 'TEXT SEARCH TEMPLATE',
  'TEXT SEARCH DICTIONARY': 'TEXT SEARCH DICTIONARY',
  'TEXT SEARCH CONFIGURATION': 'TEXT SEARCH CONFIGURATION',
  CONVERSION: 'CONVERSION',
  CAST: 'CAST',
};

/** Whether `readTargetObjects` knows entries of this kind. */
export function canBeSeen({ kind }: TocEntry): boolean {
  return GROUPS[kind] !== undefined;
}

/** Returns whether the database has the object of an archive's entry, by kind and name. */
export async function readTargetObjects(session: Session): Promise<(entry: TocEntry) => boolean> {
  const rows = await withTransaction(session, async () => {
    await session.query("select pg_catalog.set_config('search_path', '', true)");
    return (await session.query<{ kind: string; description: string }>(sqlFile('backup/objects'))).rows;
  });
  const objects = new Set(rows.map(({ kind, description }) => `${kind} ${description}`));
  return ({ kind, description }) => {
    const group = GROUPS[kind];
    if (group === undefined) return false;
    return objects.has(`${group} ${description.replace(/ [^ ]*$/, '')}`);
  };
}
