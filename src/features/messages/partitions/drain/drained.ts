import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { isAisecError } from '../../../../base/errors.js';
import { qualifiedName } from '../../partition.js';

/** Identifies a drained table. */
export const DRAINED_COMMENT =
  'Rows that aisec partitions ensure has copied to their months. The next run compares them with messages once more and drops this table.';

/** A default partition that was drained, and what a comparison with messages has found. */
export interface DrainedTable {
  readonly table: string;
  readonly rows: number;
  /** Rows whose key says that the message exists, while neither messages nor messages_archive has it. */
  readonly lostRows: number;
  readonly state: 'kept' | 'dropped';
}

interface DrainedRow {
  readonly schema: string;
  readonly name: string;
}

/** Default partitions that earlier drains have left, quoted, oldest first. */
export async function findDrainedTables(session: Session): Promise<readonly string[]> {
  const { rows } = await session.query<DrainedRow>(sqlFile('partitions/drained-tables'), [DRAINED_COMMENT]);
  return rows.map(qualifiedName);
}

/**
 * Compares a drained table with what became of its rows: each has its message in messages or messages_archive, where its
 * key says, or no key, since the message was deleted. Locks nothing that others use.
 */
export async function verifyDrained(session: Session, table: string): Promise<Omit<DrainedTable, 'state'>> {
  const { rows: months } = await session.query<{ from: string | null; until: string | null; rows: number }>(
    `select
       pg_catalog.date_trunc('month', created_at)::text as from,
       (pg_catalog.date_trunc('month', created_at) + interval '1 month')::text as until,
       pg_catalog.count(*)::float8 as rows
     from only ${table}
     where pg_catalog.isfinite(created_at)
     group by 1, 2
     union all
     select null, null, pg_catalog.count(*)::float8
     from only ${table}
     where not pg_catalog.isfinite(created_at)`,
  );
  let lostRows = 0;
  for (const { from, until } of months) {
    // The range as literals: the planner then reads the partition of that month and no other.
    const range = (alias: string): string =>
      from === null || until === null
        ? `not pg_catalog.isfinite(${alias}.created_at)`
        : `${alias}.created_at >= '${from}'::timestamptz and ${alias}.created_at < '${until}'::timestamptz`;
    const { rows } = await session.query<{ lost: number }>(
      `with elsewhere as materialized (
         select drained.id
         from only ${table} as drained
         where ${range('drained')}
           and not exists (
             select
             from messages
             where messages.id = drained.id
               and messages.created_at = drained.created_at
               and ${range('messages')}
           )
           and not exists (
             select
             from messages_archive
             where messages_archive.id = drained.id
               and messages_archive.created_at = drained.created_at
               and ${range('messages_archive')}
           )
       )
       select pg_catalog.count(*)::float8 as lost
       from elsewhere
       join message_keys as keys on keys.id = elsewhere.id
       where not exists (select from messages where messages.id = keys.id and messages.created_at = keys.created_at)
         and not exists (
           select
           from messages_archive
           where messages_archive.id = keys.id
             and messages_archive.created_at = keys.created_at
         )`,
    );
    lostRows += rows[0]?.lost ?? 0;
  }
  return { table, rows: months.reduce((sum, month) => sum + month.rows, 0), lostRows };
}

/** Drops the drained tables of earlier runs of which no message is lost. */
export async function dropVerifiedDrained(session: Session): Promise<readonly DrainedTable[]> {
  const found: DrainedTable[] = [];
  for (const table of await findDrainedTables(session)) {
    const verdict = await verifyDrained(session, table);
    let state: DrainedTable['state'] = 'kept';
    if (verdict.lostRows === 0) {
      try {
        await withTransaction(session, () => session.query(`drop table ${table}`));
        state = 'dropped';
      } catch (error) {
        // In use by another session, pg_dump say: the next run drops it.
        if (!isAisecError(error, 'LOCK_TIMEOUT')) throw error;
      }
    }
    found.push({ ...verdict, state });
  }
  return found;
}
