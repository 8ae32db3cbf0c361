import { setTimeout as pause } from 'node:timers/promises';

import type { Session, SideConnection } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** A lock that a session was seen to hold. */
export interface SampledLock {
  readonly oid: number;
  /** As in pg_locks. */
  readonly mode: string;
  /** From the look before the one that saw it first to the look after the one that saw it last: an upper bound. */
  readonly heldMs: number;
}

/** A lock that comes and ends between two looks is not seen. */
const LOOK_EVERY_MS = 10;

/**
 * Looks at the locks of a session from a second connection while a statement runs: one that commits by itself can
 * not be asked for them. Nothing is seen where there can be no second connection (embedded).
 */
export class LockSampler {
  readonly #session: Session;
  readonly #side: SideConnection | undefined;

  constructor(session: Session, side: SideConnection | undefined) {
    this.#session = session;
    this.#side = side;
  }

  /** Runs the callback; returns what it held meanwhile. */
  async during(run: () => Promise<void>): Promise<readonly SampledLock[]> {
    const held = new Map<string, { oid: number; mode: string; heldMs: number }>();
    let present = new Set<string>();
    let isOver = false;
    let lastLookMs = performance.now();
    const count = (seen: ReadonlySet<string>): void => {
      const now = performance.now();
      for (const key of new Set([...present, ...seen])) {
        const lock = held.get(key);
        if (lock !== undefined) lock.heldMs += now - lastLookMs;
      }
      lastLookMs = now;
    };
    const look = async (side: SideConnection): Promise<void> => {
      while (!isOver) {
        const rows = await side.query<{ oid: number; mode: string }>(sqlFile('migrate/locks-of'), [
          this.#session.info.pid,
        ]);
        const seen = new Set(rows.map(({ oid, mode }) => `${oid} ${mode}`));
        for (const { oid, mode } of rows)
          if (!held.has(`${oid} ${mode}`)) held.set(`${oid} ${mode}`, { oid, mode, heldMs: 0 });
        count(seen);
        present = seen;
        await pause(LOOK_EVERY_MS);
      }
    };
    const looking = this.#side === undefined ? undefined : look(this.#side);
    try {
      await run();
    } finally {
      isOver = true;
      count(present);
      // A connection that broke costs what it would have seen.
      await looking?.catch(() => undefined);
    }
    return [...held.values()];
  }

  async close(): Promise<void> {
    await this.#side?.close();
  }
}

/** A sampler for the session; close it. */
export async function openLockSampler(session: Session): Promise<LockSampler> {
  return new LockSampler(session, await session.openSide());
}
