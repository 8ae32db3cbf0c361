import type { Session } from '../../adapters/postgres/session.js';
import { readIndexFacts } from './index-facts.js';

/** An index of a partition that belongs to none of its table. */
export interface StrayIndex {
  /** Qualified, as SQL takes it. */
  readonly identifier: string;
  readonly partition: string;
  readonly columns: string;
  readonly sizeBytes: number;
}

/** Indexes of partitions that are no part of an index of the table. Waits for nobody. */
export async function findStrayIndexes(session: Session, schema: string): Promise<readonly StrayIndex[]> {
  const facts = await readIndexFacts(session, schema);
  return facts
    .filter(({ isStray, isBuilding, isValid }) => isStray && isValid && !isBuilding)
    .map(({ identifier, table, columns, sizeBytes }) => ({
      identifier,
      partition: table,
      columns,
      sizeBytes,
    }));
}
