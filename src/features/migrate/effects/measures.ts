import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

export interface TouchedTable {
  readonly relation: string;
  /** The partitioned table that it is a part of, else itself. */
  readonly root: string;
  /** Estimated; null: never counted. */
  readonly rows: number | null;
  /** With TOAST, without indexes. */
  readonly sizeBytes: number;
}

const MOST_CHARACTERS = 200;

/** A statement on one line, cut. */
export function shownText(text: string): string {
  return text
    .slice(0, 10 * MOST_CHARACTERS)
    .replaceAll(/\s+/g, ' ')
    .slice(0, MOST_CHARACTERS);
}

/**
 * The size of tables as they are now, names as SQL takes them.
 *
 * @param before estimated rows before the run: a table that was rewritten has no estimate until it is analyzed.
 */
export async function touchedTables(
  session: Session,
  relations: readonly string[],
  before: ReadonlyMap<string, number> = new Map(),
): Promise<readonly TouchedTable[]> {
  if (relations.length === 0) return [];
  const { rows } = await session.query<{ relation: string; root: string; rows: number; size_bytes: number }>(
    sqlFile('migrate/relation-sizes'),
    [relations],
  );
  return rows.map(({ relation, root, rows: now, size_bytes: sizeBytes }) => {
    const count = now < 0 ? (before.get(relation) ?? now) : now;
    return { relation, root, rows: count < 0 ? null : Math.round(count), sizeBytes };
  });
}

/** How much the server has written to its log since it was made. */
export async function walPosition(session: Session): Promise<number> {
  const { rows } = await session.query<{ position: number }>(
    `select pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::float8 as position`,
  );
  return rows[0]?.position ?? 0;
}
