import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { countText, listed } from '../../../base/count.js';
import { nameInSql, quoteIdentifier } from '../../../base/identifier.js';
import type { Check, Fault, Subject } from '../check.js';
import { qualified } from '../names.js';

interface TriggersRow {
  readonly table_name: string;
  readonly triggers: readonly string[];
  readonly foreign_keys: readonly string[];
}

function enable(schema: string, table: string, trigger: string): string {
  return `alter table ${qualified(schema, table)} enable trigger ${trigger};`;
}

/** `disable trigger all` turns off those of people and those that hold foreign keys, each with another consequence. */
async function examineTriggers({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<TriggersRow>(sqlFile('doctor/disabled-triggers'), [schema]);
  return rows.map(({ table_name: table, triggers, foreign_keys: keys }): Fault => {
    const name = nameInSql(table);
    if (keys.length === 0)
      return {
        object: name,
        message: `${countText(triggers.length, 'trigger')} of ${name} ${triggers.length === 1 ? 'is' : 'are'} disabled: ${listed(triggers.map(nameInSql))}`,
        impact: 'what they keep right, such as updated_at or the keys of messages, is not kept right by any write',
        fix: triggers.map((trigger) => enable(schema, table, quoteIdentifier(trigger))).join('\n'),
      };
    const others = triggers.length === 0 ? '' : `, and ${countText(triggers.length, 'trigger')}`;
    return {
      object: name,
      severity: 'critical',
      message: `the triggers of ${countText(keys.length, 'foreign key')} at ${name} are disabled: ${listed(keys.map(nameInSql))}${others}`,
      impact:
        'rows may refer to rows that are not there, and no constraint reports them; look for such rows once the triggers are on (only a superuser may enable them)',
      fix: enable(schema, table, 'all'),
    };
  });
}

interface ConstraintRow {
  readonly name: string;
  readonly owner_name: string;
  readonly is_domain: boolean;
  readonly definition: string;
}

async function examineConstraints({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<ConstraintRow>(sqlFile('doctor/unvalidated-constraints'), [schema]);
  return rows.map(({ name, owner_name: owner, is_domain: isDomain, definition }) => ({
    object: `${nameInSql(owner)}.${nameInSql(name)}`,
    message: `constraint ${nameInSql(name)} of ${nameInSql(owner)} is NOT VALID: ${definition.replace(/ NOT VALID$/, '')}`,
    impact:
      'rows that were there before it may break it, and the planner cannot rely on it; the fix reads the whole table beside reads and writes, and fails when a row breaks it',
    fix: `alter ${isDomain ? 'domain' : 'table'} ${qualified(schema, owner)} validate constraint ${quoteIdentifier(name)};`,
  }));
}

interface KeylessRow {
  readonly name: string;
  readonly publications: readonly string[];
}

async function examineKeys({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<KeylessRow>(sqlFile('doctor/tables-without-key'), [schema]);
  return rows.map(({ name, publications }): Fault => {
    const table = nameInSql(name);
    if (publications.length === 0)
      return {
        object: table,
        message: `${table} has no primary key`,
        impact:
          'an update or delete of one of two equal rows cannot say which, and logical replication cannot send its updates; choose the columns that name a row',
        fix: null,
      };
    return {
      object: table,
      severity: 'critical',
      message: `${table} has no primary key and is in ${publications.length === 1 ? 'publication' : 'publications'} ${listed(publications.map(nameInSql))}`,
      impact:
        'every update and delete of it fails; a primary key is better than the fix, which sends whole rows and makes the subscriber search for each',
      fix: `alter table ${qualified(schema, name)} replica identity full;`,
    };
  });
}

interface CollationRow {
  readonly name: string | null;
  readonly schema_name: string | null;
  readonly recorded_version: string;
  readonly actual_version: string | null;
  readonly indexes: readonly string[];
}

function rebuild({ name, schema_name: schema, indexes }: CollationRow, database: string): string {
  if (name === null)
    return `reindex database concurrently ${quoteIdentifier(database)};\nalter database ${quoteIdentifier(database)} refresh collation version;`;
  return [
    ...indexes.map((index) => `reindex index concurrently ${index};`),
    `alter collation ${qualified(schema ?? 'pg_catalog', name)} refresh version;`,
  ].join('\n');
}

/** https://www.postgresql.org/docs/current/sql-altercollation.html#SQL-ALTERCOLLATION-NOTES */
async function examineCollations({ session }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<CollationRow>(sqlFile('doctor/collations'));
  return rows.map((row) => {
    const { name, recorded_version: recorded, actual_version: actual, indexes } = row;
    return {
      object: name === null ? 'database' : nameInSql(name),
      message: `${name === null ? 'the collation of the database' : `collation ${nameInSql(name)}`} was version ${recorded} when ${countText(indexes.length, 'index', 'indexes')} by it ${indexes.length === 1 ? 'was' : 'were'} built, and is ${actual === null ? 'of no known version' : `version ${actual}`} now`,
      impact:
        'text may sort in another way since the operating system was upgraded: queries by these indexes miss rows, and unique ones take duplicates; a rebuild that reports a duplicate names the rows to look at',
      // Without a version now it cannot be refreshed.
      fix: actual === null ? null : rebuild(row, session.info.databaseName),
    };
  });
}

export const INTEGRITY_CHECKS: readonly Check[] = [
  {
    id: 'trigger-disabled',
    area: 'integrity',
    severity: 'warning',
    title: 'disabled triggers; critical where they hold foreign keys',
    examine: examineTriggers,
  },
  {
    id: 'constraint-not-valid',
    area: 'integrity',
    severity: 'notice',
    title: 'constraints that the rows from before them were never checked against (NOT VALID)',
    examine: examineConstraints,
  },
  {
    id: 'primary-key',
    area: 'integrity',
    severity: 'notice',
    title: 'tables without a key; critical where a publication sends their updates, which then fail',
    examine: examineKeys,
  },
  {
    id: 'collation-version',
    area: 'integrity',
    severity: 'critical',
    title:
      'indexes that were built with another version of their collation, as after an upgrade of the operating system',
    examine: examineCollations,
  },
];
