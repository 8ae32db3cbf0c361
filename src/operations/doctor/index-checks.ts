import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../base/bytes.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { findStrayIndexes } from '../monitor/checks.js';
import type { Check, Fault, Subject } from './check.js';
import { groupBy } from './group.js';
import { listed, plainName, qualified } from './names.js';

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

/** One finding for all partitions that have the same one, such as archived months with an index that messages got later. */
async function examineStray({ session, schema }: Subject): Promise<readonly Fault[]> {
  const groups = groupBy(await findStrayIndexes(session, schema), ({ columns }) => columns);
  return [...groups].map(([columns, strays]) => {
    const sizeBytes = strays.reduce((sum, stray) => sum + stray.sizeBytes, 0);
    const partitions = listed(strays.map(({ partition }) => plainName(partition)));
    const who = strays.length === 1 ? 'a partition has' : `${strays.length} partitions have`;
    return {
      object: `(${columns})`,
      what: `${who} an index on (${columns}) that the table lacks: ${partitions}; ${formatBytes(sizeBytes)}`,
      why: 'a query of the other partitions goes without it, or it is left over; new months will not have it',
      mend: `${strays.map(({ identifier }) => `drop index concurrently ${identifier};`).join(' ')} -- or create it on the table`,
    };
  });
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
  {
    id: 'index-stray',
    area: 'indexes',
    severity: 'notice',
    title: 'indexes of partitions that their table lacks',
    grant: null,
    examine: examineStray,
  },
];
