import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { boundedName } from '../../../base/bounded-name.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { inReadOnly } from '../inspection/read-only.js';
import type { FilteredScan } from './plan.js';

interface Table {
  readonly schema: string;
  readonly name: string;
}

/** Where an index would be built: on a table, or on each partition of one. */
export interface IndexTarget {
  readonly table: Table;
  /** Null: it is not partitioned. */
  readonly partitions: readonly Table[] | null;
}

/** The table of a scan, or the partitioned one over it; undefined for foreign tables and partitions of partitions. */
export async function indexTarget(session: Session, scan: FilteredScan): Promise<IndexTarget | undefined> {
  const { rows } = await inReadOnly(session, () =>
    session.query<IndexTarget>(sqlFile('monitor/index-target'), [scan.schema, scan.table]),
  );
  return rows[0];
}

function onTable({ schema, name }: Table, columns: readonly string[]): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)} (${columns.map(quoteIdentifier).join(', ')})`;
}

/** The statements with which HypoPG tries the index: one for each table that has rows. */
export function triedStatements({ table, partitions }: IndexTarget, columns: readonly string[]): readonly string[] {
  return (partitions ?? [table]).map((each) => `create index on ${onTable(each, columns)}`);
}

/**
 * The statements that build the index beside writes. A partitioned table takes no CONCURRENTLY, its partitions do, and its own
 * index, which later partitions get from it, is valid when all of them are attached:
 * https://www.postgresql.org/docs/17/sql-createindex.html
 */
export function buildStatements({ table, partitions }: IndexTarget, columns: readonly string[]): string {
  if (partitions === null) return `create index concurrently on ${onTable(table, columns)};`;
  const nameOn = ({ name }: Table): string => boundedName(`${name}_${columns.join('_')}_idx`);
  const inSchema = (each: Table): string => `${quoteIdentifier(each.schema)}.${quoteIdentifier(nameOn(each))}`;
  const own = quoteIdentifier(nameOn(table));
  return [
    `create index ${own} on only ${onTable(table, columns)};`,
    ...partitions.map(
      (each) => `create index concurrently ${quoteIdentifier(nameOn(each))} on ${onTable(each, columns)};`,
    ),
    ...partitions.map((each) => `alter index ${inSchema(table)} attach partition ${inSchema(each)};`),
  ].join('\n');
}
