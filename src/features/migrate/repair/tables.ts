import type { Session } from '../../../adapters/postgres/session.js';
import { readHistory } from '../history/history.js';

/** The names in the two tables of the history of one source, whatever they lack. */
export interface HistoryTables {
  readonly source: string;
  readonly engine: readonly string[];
  readonly own: readonly OwnRow[];
}

export interface OwnRow {
  readonly name: string;
  readonly state: string;
  readonly checksum: string;
}

/** Reads both tables; one that is gone has no rows. SELECT on them is enough. @throws AisecError as `readHistory`. */
export async function readTables(
  session: Session,
  schema: string,
  source: string,
  checksums: readonly string[],
): Promise<HistoryTables> {
  const { entries } = await readHistory(session, schema, source, checksums);
  const engine = entries.filter(({ position }) => position !== null).map(({ name }) => name);
  const own = entries.flatMap(({ name, state, checksum }) => (checksum === null ? [] : [{ name, state, checksum }]));
  return { source, engine, own };
}
