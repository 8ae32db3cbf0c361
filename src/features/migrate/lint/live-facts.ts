import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { RelationFacts } from './rule.js';

export interface LiveRelation {
  /** Estimated rows, those of its partitions counted; undefined when they were never counted. */
  readonly rows: number | undefined;
  /** The tables with the rows of a partitioned one, as SQL takes them. */
  readonly partitions: readonly string[];
}

/** What the connected database has, by the name that SQL takes. */
export type LiveFacts = ReadonlyMap<string, LiveRelation>;

/** Sizes and partitions of the tables of a schema. Reads the catalog only, and waits for no lock. */
export async function readLiveFacts(session: Session, schema: string): Promise<LiveFacts> {
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
