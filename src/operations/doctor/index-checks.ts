import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../base/bytes.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Check, Fault, Subject } from './check.js';
import { plainName, qualified } from './names.js';

interface InvalidRow {
  readonly name: string;
  readonly table_name: string;
  readonly is_partitioned: boolean;
  readonly definition: string;
}

interface ForeignKeyRow {
  readonly name: string;
  readonly table_name: string;
  readonly columns: readonly string[];
  readonly referenced: string;
  readonly is_partitioned: boolean;
}

interface RedundantRow {
  readonly name: string;
  readonly table_name: string;
  readonly size_bytes: string;
  readonly covered_by: string;
}

async function examineInvalid({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<InvalidRow>(sqlFile('doctor/invalid-indexes'), [schema]);
  return rows.map(({ name, table_name: table, is_partitioned: isPartitioned, definition }) => ({
    object: plainName(name),
    what: `index ${plainName(name)} of ${plainName(table)} is INVALID`,
    why: 'no query uses it, and every write pays for it',
    mend: isPartitioned
      ? `drop index ${qualified(schema, name)}; ${definition.replace(' ON ONLY ', ' ON ')}; -- stops writes to the table`
      : `reindex index concurrently ${qualified(schema, name)};`,
  }));
}

async function examineForeignKeys({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<ForeignKeyRow>(sqlFile('doctor/foreign-keys-without-index'), [schema]);
  return rows.map(({ name, table_name: table, columns, referenced, is_partitioned: isPartitioned }) => {
    const list = columns.map(quoteIdentifier).join(', ');
    return {
      object: `${plainName(table)}.${plainName(name)}`,
      what: `foreign key ${plainName(name)} of ${plainName(table)} (${columns.map(plainName).join(', ')}) has no index`,
      why: `each row deleted from ${plainName(referenced)}, or given another key, reads all of ${plainName(table)}`,
      mend: isPartitioned
        ? `create index on ${qualified(schema, table)} (${list}); -- stops writes to the table`
        : `create index concurrently on ${qualified(schema, table)} (${list});`,
    };
  });
}

async function examineRedundant({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<RedundantRow>(sqlFile('doctor/redundant-indexes'), [schema]);
  return rows.map(({ name, table_name: table, size_bytes: size, covered_by: other }) => ({
    object: plainName(name),
    what: `index ${plainName(name)} of ${plainName(table)} (${formatBytes(Number(size))}) begins like ${plainName(other)}`,
    why: 'the other one answers the same queries; this one costs disk, memory and time of every write',
    mend: `drop index ${qualified(schema, name)}; -- in a migration of its own`,
  }));
}

export const INDEX_CHECKS: readonly Check[] = [
  {
    id: 'index-invalid',
    area: 'indexes',
    severity: 'warning',
    title: 'INVALID indexes, of partitioned tables, too',
    grant: null,
    examine: examineInvalid,
  },
  {
    id: 'foreign-key-index',
    area: 'indexes',
    severity: 'warning',
    title: 'foreign keys without an index',
    grant: null,
    examine: examineForeignKeys,
  },
  {
    id: 'index-redundant',
    area: 'indexes',
    severity: 'notice',
    title: 'indexes that another one covers; the design document lists eight, and the DBA decides',
    grant: null,
    examine: examineRedundant,
  },
];
