import { quoteLiteral } from '../../../base/identifier.js';
import { parseLsn, printLsn } from './write-positions.js';

/** Up to where a replica has replayed the log. */
export interface Replayed {
  readonly position: bigint;
  /** It has WAIT FOR LSN, of PostgreSQL 19; others are asked again and again. */
  readonly canWait: boolean;
}

interface ReplayedRow {
  readonly replayed: string | null;
  readonly can_wait: boolean;
}

/**
 * What a replica has replayed; null: it is none. In a transaction of its own, before the one whose snapshot must not be
 * older than the answer.
 */
export const ASK_REPLAYED =
  "begin; select case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn() end as replayed, pg_catalog.current_setting('server_version_num')::integer >= 190000 as can_wait; commit";

/** Undefined: the server is no replica. */
export function readReplayed(rows: readonly unknown[]): Replayed | undefined {
  const [row] = rows as readonly ReplayedRow[];
  if (row === undefined || row.replayed === null) return undefined;
  return { position: parseLsn(row.replayed), canWait: row.can_wait };
}

/** Ends the transaction, for a snapshot may not be held meanwhile, and waits. A promotion ends the waiting, too. */
export function waitForReplay(position: bigint, timeoutMs: number): string {
  const atLeastMs = Math.max(1, Math.ceil(timeoutMs));
  return `rollback; wait for lsn ${quoteLiteral(printLsn(position))} with (timeout '${atLeastMs}ms', no_throw)`;
}
