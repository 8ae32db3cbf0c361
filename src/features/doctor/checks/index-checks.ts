import { listed } from '../../../base/count.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../base/bytes.js';
import { dropIndexSql, readIndexFacts, readMissingIndexes, type IndexFacts } from '../../monitor/checks.js';
import type { Check, Fault, Subject } from '../check.js';
import { groupBy } from '../../../base/group-by.js';
import { qualified } from '../names.js';
import { nameInSql } from '../../../base/identifier.js';

interface InvalidRow {
  readonly name: string;
  readonly table_name: string;
  readonly is_partitioned: boolean;
  readonly definition: string;
}

function indexFacts({ session, schema }: Subject): Promise<readonly IndexFacts[]> {
  return readIndexFacts(session, schema);
}

/** An invalid one has a check of its own. */
function isAtWork({ isValid, isBuilding }: IndexFacts): boolean {
  return isValid && !isBuilding;
}

async function examineInvalid({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<InvalidRow>(sqlFile('doctor/invalid-indexes'), [schema]);
  return rows.map(({ name, table_name: table, is_partitioned: isPartitioned, definition }) => ({
    object: nameInSql(name),
    message: `index ${nameInSql(name)} of ${nameInSql(table)} is INVALID`,
    impact: isPartitioned
      ? 'no query uses it, and every write pays for it; building it again stops writes to the table meanwhile'
      : 'no query uses it, and every write pays for it',
    fix: isPartitioned
      ? `set lock_timeout = '2s'; drop index ${qualified(schema, name)}; ${definition.replace(' ON ONLY ', ' ON ')};`
      : `reindex index concurrently ${qualified(schema, name)};`,
  }));
}

async function examineForeignKeys({ session, schema }: Subject): Promise<readonly Fault[]> {
  const missing = await readMissingIndexes(session, schema);
  return missing.map(({ foreignKey, tableName, referencedTable, columns, isPartitioned, sql }) => ({
    object: `${nameInSql(tableName)}.${nameInSql(foreignKey)}`,
    message: `foreign key ${nameInSql(foreignKey)} of ${nameInSql(tableName)} (${columns}) has no index`,
    impact: `each row deleted from ${referencedTable}, or given another key, reads all of ${nameInSql(tableName)}${isPartitioned ? '; building the index stops writes to the table' : ''}`,
    fix: sql,
  }));
}

function redundantFault(facts: IndexFacts, coveredBy: string): Fault {
  const { index, table, sizeBytes } = facts;
  return {
    object: nameInSql(index),
    message: `index ${nameInSql(index)} of ${nameInSql(table)} (${formatBytes(sizeBytes)}) begins like ${coveredBy}`,
    impact: `the other one answers the same queries; this one costs disk, memory and time of every write${facts.isPartitioned ? '. The fix takes ACCESS EXCLUSIVE on the table and all its partitions for a moment' : ''}`,
    fix: dropIndexSql(facts),
  };
}

async function examineRedundant(subject: Subject): Promise<readonly Fault[]> {
  const facts = await subject.once(indexFacts);
  return facts
    .filter((index) => !index.isStray && isAtWork(index))
    .toSorted((one, other) => other.sizeBytes - one.sizeBytes)
    .flatMap((index) => (index.coveredBy === null ? [] : [redundantFault(index, index.coveredBy)]));
}

/** One finding for all partitions that have the same one, such as archived months with an index that messages got later. */
async function examineStray(subject: Subject): Promise<readonly Fault[]> {
  const found = (await subject.once(indexFacts)).filter((index) => index.isStray && isAtWork(index));
  const groups = groupBy(found, ({ columns }) => columns);
  return [...groups].map(([columns, strays]) => {
    const sizeBytes = strays.reduce((sum, stray) => sum + stray.sizeBytes, 0);
    const partitions = listed(strays.map(({ table }) => nameInSql(table)));
    const who = strays.length === 1 ? 'a partition has' : `${strays.length} partitions have`;
    return {
      object: `(${columns})`,
      message: `${who} an index on (${columns}) that the table lacks: ${partitions}; ${formatBytes(sizeBytes)}`,
      impact:
        'either queries of the other partitions need it too (then create it on the table), or it is left over; new months will not have it',
      fix: `${strays.map(({ identifier }) => `drop index concurrently ${identifier};`).join('\n')}`,
    };
  });
}

export const INDEX_CHECKS: readonly Check[] = [
  {
    id: 'index-invalid',
    area: 'indexes',
    severity: 'warning',
    title: 'INVALID indexes, of partitioned tables, too',
    examine: examineInvalid,
  },
  {
    id: 'foreign-key-index',
    area: 'indexes',
    severity: 'warning',
    title: 'foreign keys without an index',
    examine: examineForeignKeys,
  },
  {
    id: 'index-redundant',
    area: 'indexes',
    severity: 'notice',
    title: 'indexes that another one covers; the schema has eight such on purpose, and the DBA decides',
    examine: examineRedundant,
  },
  {
    id: 'index-stray',
    area: 'indexes',
    severity: 'notice',
    title: 'indexes of partitions that their table lacks',
    examine: examineStray,
  },
];
