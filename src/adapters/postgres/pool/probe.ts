import type { Socket } from 'node:net';

import type pg from 'pg';

export interface Probed {
  readonly durationMs: number;
  /** What went wrong; undefined: the server answered. */
  readonly error?: unknown;
  readonly isReadOnly?: boolean;
  /** No connection became free in time. */
  readonly isBusy?: boolean;
  /** A connection was there, and the server did not answer in time. */
  readonly isSilent?: boolean;
}

const QUESTION = `select pg_catalog.current_setting('transaction_read_only') = 'on' as is_read_only`;

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
      const { rows } = await held.query<{ is_read_only: boolean }>(QUESTION);
      return { durationMs: since(), isReadOnly: rows[0]?.is_read_only === true };
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      held.release(failure !== undefined);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<Probed>((resolve) => {
    timer = setTimeout(() => {
      isOver = true;
      const durationMs = since();
      if (client === undefined) resolve({ durationMs, isBusy: true });
      else {
        cut(client);
        resolve({ durationMs, isSilent: true });
      }
    }, timeoutMs);
  });
  try {
    return await Promise.race([ask().catch((error: unknown) => ({ durationMs: since(), error })), silence]);
  } finally {
    clearTimeout(timer);
  }
}
