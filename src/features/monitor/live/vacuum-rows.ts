import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { groupBy } from '../../../base/group-by.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { VacuumRow } from '../vacuum.js';
import type { LiveSubject } from './check.js';

/** A table with its partitions that hold rows; itself where it has none. */
export interface Family {
  readonly root: VacuumRow;
  readonly leaves: readonly VacuumRow[];
}

/** The tables of the schema, as `monitor vacuum` has them. */
export async function readFamilies({ session, schema }: LiveSubject): Promise<readonly Family[]> {
  const { rows } = await session.query<VacuumRow>(sqlFile('monitor/vacuum'), [schema]);
  return [...groupBy(rows, (row) => row.root_oid).values()].flatMap((family) => {
    const root = family.find((row) => row.is_root);
    return root === undefined ? [] : [{ root, leaves: family.filter((row) => !row.is_partitioned) }];
  });
}

/** `"app"."users"`, as a fix names it. */
export function inSql({ table_schema: schema, table_name: name }: VacuumRow): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** `users`, or `3 of 12 partitions of messages, messages_2026_01 the first of them`: the subject of a sentence. */
export function subjectOf({ root, leaves }: Family, concerned: readonly VacuumRow[]): string {
  if (!root.is_partitioned) return root.identifier;
  const [first] = concerned;
  if (concerned.length === 1) return `partition ${first?.identifier ?? ''} of ${root.identifier}`;
  return `${concerned.length} of ${leaves.length} partitions of ${root.identifier} (${first?.identifier ?? ''} and others)`;
}
