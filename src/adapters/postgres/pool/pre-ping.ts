import type { Socket } from 'node:net';

import type pg from 'pg';

import { afterSilence } from '../../../base/interruption.js';
import { notesOf } from './connection-notes.js';

/** A server that is up answers in a few milliseconds; this much is lost once when it is gone. */
const ANSWER_WITHIN_MS = 500;

function cut(client: pg.PoolClient): void {
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  client.release(true);
}

async function answers(client: pg.PoolClient): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = afterSilence(ANSWER_WITHIN_MS, () => resolve(false));
    const answered = (isThere: boolean): void => {
      stop();
      resolve(isThere);
    };
    client.query('select').then(
      () => answered(true),
      () => answered(false),
    );
  });
}

/**
 * SQLAlchemy's pool_pre_ping: a connection that was idle for a while is asked whether it still answers before it is
 * handed out (a firewall or a failover drops it without a word). When one does not, all that are as old go with it.
 */
export class PrePing {
  readonly #afterMs: number;
  readonly #usedMs = new WeakMap<pg.PoolClient, number>();
  #suspectBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(afterMs = Number.POSITIVE_INFINITY) {
    this.#afterMs = afterMs;
  }

  async connect(pool: pg.Pool): Promise<pg.PoolClient> {
    for (;;) {
      const client = await pool.connect();
      const usedMs = this.#usedMs.get(client);
      const nowMs = performance.now();
      this.#usedMs.set(client, nowMs);
      if (usedMs === undefined) {
        // From now on its end is heard of.
        notesOf(client);
        this.#watchRelease(client);
        return client;
      }
      this.#watchRelease(client);
      if (usedMs > this.#suspectBeforeMs && (nowMs - usedMs < this.#afterMs || (await answers(client)))) return client;
      if (usedMs > this.#suspectBeforeMs) this.#suspectBeforeMs = nowMs;
      cut(client);
    }
  }

  /** Idle time counts from the release; pg-pool gives a client a new `release` at each checkout. */
  #watchRelease(client: pg.PoolClient): void {
    const release = client.release.bind(client);
    client.release = (error) => {
      this.#usedMs.set(client, performance.now());
      release(error);
    };
  }
}
