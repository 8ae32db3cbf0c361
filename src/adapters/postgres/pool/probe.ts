import type { Socket } from 'node:net';

import type pg from 'pg';

import { unlessSilent } from '../../../base/interruption.js';
import { parseLsn } from './write-positions.js';

export interface ServerState {
  readonly isReadOnly: boolean;
  /** Up to where it has flushed the log, or replayed it as a standby. */
  readonly position: bigint;
  /** Age of the last commit that a standby has replayed; null: none since its start, or it is no standby. */
  readonly replayedAgeMs: number | null;
}

export interface Probed {
  readonly durationMs: number;
  /** What went wrong; undefined: the server answered. */
  readonly error?: unknown;
  /** Its answer. */
  readonly state?: ServerState;
  /** No connection became free in time. */
  readonly isBusy?: boolean;
  /** A connection was there, and the server did not answer in time. */
  readonly isSilent?: boolean;
}

interface StateRow extends Omit<ServerState, 'position'> {
  readonly position: string;
}

const QUESTION = `
  select
    pg_catalog.current_setting('transaction_read_only') = 'on' as "isReadOnly",
    case
      when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
      else pg_catalog.pg_current_wal_flush_lsn()
    end as position,
    case
      when pg_catalog.pg_is_in_recovery()
        then (extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) * 1000)::bigint::float8
    end as "replayedAgeMs"`;

function stateOf({ isReadOnly, position, replayedAgeMs: ageMs }: StateRow): ServerState {
  return { isReadOnly, position: parseLsn(position), replayedAgeMs: ageMs && Math.max(0, ageMs) };
}

function cut(client: pg.PoolClient): void {
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
}

/**
 * Asks a server a question with a deadline for everything. A connection that does not answer is cut, so that repeated
 * probes never hold more than one each.
 */
export async function probe(timeoutMs: number, connect: () => Promise<pg.PoolClient>): Promise<Probed> {
  const startedMs = performance.now();
  const since = (): number => Math.round(performance.now() - startedMs);
  let client: pg.PoolClient | undefined;
  let isOver = false;
  const ask = async (): Promise<Probed> => {
    const held = await connect();
    if (isOver) {
      held.release();
      return { durationMs: since() };
    }
    client = held;
    let failure: unknown;
    try {
      const { rows } = await held.query<StateRow>(QUESTION);
      const [row] = rows;
      return { durationMs: since(), ...(row !== undefined && { state: stateOf(row) }) };
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      held.release(failure !== undefined);
    }
  };
  const giveUp = (): Probed => {
    isOver = true;
    if (client === undefined) return { durationMs: since(), isBusy: true };
    cut(client);
    return { durationMs: since(), isSilent: true };
  };
  return unlessSilent(
    timeoutMs,
    ask().catch((error: unknown) => ({ durationMs: since(), error })),
    giveUp,
  );
}
