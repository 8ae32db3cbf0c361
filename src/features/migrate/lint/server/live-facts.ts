import { withRollback, type Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { isAisecError } from '../../../../base/errors.js';
import { labelOf } from '../../files/source.js';
import { pendingOf } from '../../history/compare.js';
import { compareWithDatabase, type MigrateSettings } from '../../prepare.js';
import type { RelationFacts, ServerFacts } from '../rule.js';

export interface LiveRelation {
  /** Estimated rows, those of its partitions counted; undefined when they were never counted. */
  readonly rows: number | undefined;
  /** The tables with the rows of a partitioned one, as SQL takes them. */
  readonly partitions: readonly string[];
}

/** What the connected database has, by the name that SQL takes. */
export type LiveFacts = ReadonlyMap<string, LiveRelation>;

/** The connected database, as far as lint asks it. */
export interface Live {
  readonly relations: LiveFacts;
  readonly server: ServerFacts;
  /**
   * How many rows a query gives, up to a limit; undefined when it names what the database does not have. Reads only.
   *
   * @throws AisecError when it took too long, or row-level security would hide rows.
   */
  readonly count: (query: string) => Promise<number | undefined>;
}

/** The labels of the migrations that `migrate up` would run on this database. Reads only. */
export async function pendingOnServer(session: Session, settings: MigrateSettings): Promise<ReadonlySet<string>> {
  const { statuses } = await compareWithDatabase(session, settings);
  return new Set(pendingOf(statuses, true).map(labelOf));
}

async function serverFacts(session: Session): Promise<ServerFacts> {
  const { rows } = await session.query<{ version: string | null; memory: string; workers: number }>(
    `select
       (select extversion from pg_catalog.pg_extension where extname = 'vector') as version,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem'))::text as memory,
       pg_catalog.current_setting('max_parallel_maintenance_workers')::integer as workers`,
  );
  const [row] = rows;
  return {
    vectorVersion: row?.version ?? null,
    maintenanceBytes: Number(row?.memory ?? 0),
    parallelWorkers: row?.workers ?? 0,
  };
}

/** A table or column that pending migrations make is not there yet. */
const NOT_THERE = new Set(['42P01', '42703', '42883', '42704', '3F000']);

async function count(session: Session, query: string): Promise<number | undefined> {
  try {
    return await withRollback(session, async () => {
      await session.query('set transaction read only; set local row_security to off');
      const { rows } = await session.query<{ count: number }>(query);
      return rows[0]?.count;
    });
  } catch (error) {
    if (isAisecError(error) && NOT_THERE.has(error.sqlState ?? '')) return undefined;
    throw error;
  }
}

/** Reads the catalog, waits for no lock, and changes nothing. */
export async function readLive(session: Session, schema: string): Promise<Live> {
  return {
    relations: await readLiveFacts(session, schema),
    server: await serverFacts(session),
    count: (query) => count(session, query),
  };
}

/** Sizes and partitions of the tables of a schema. Reads the catalog only, and waits for no lock. */
async function readLiveFacts(session: Session, schema: string): Promise<LiveFacts> {
  const { rows } = await session.query<{ sql_name: string; rows: number; partitions: readonly string[] }>(
    sqlFile('lint/live-relations'),
    [schema],
  );
  return new Map(
    rows.map(({ sql_name: name, rows: count, partitions }) => [
      name,
      { rows: count < 0 ? undefined : count, partitions },
    ]),
  );
}

/** The replay's own months are those of a new database. */
export function withLiveFacts(facts: RelationFacts, live: LiveFacts | undefined): RelationFacts {
  const found = live?.get(facts.sqlName);
  if (found === undefined) return facts;
  return { ...facts, rows: found.rows, partitions: facts.kind === 'p' ? found.partitions : facts.partitions };
}
