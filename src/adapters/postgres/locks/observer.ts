import { describeBlocker, type BlockerRow } from './blocker.js';
import type { Session, SideConnection } from '../session.js';
import { sqlFile } from '../sql-file.js';

const FIRST_LOOK_MS = 300;
const LOOK_EVERY_MS = 500;

interface IndexProgressRow {
  readonly phase: string;
  readonly done: string;
  readonly total: string;
  readonly index_name: string | null;
}

function describeProgress(row: IndexProgressRow): string {
  const total = Number(row.total);
  const share = total > 0 ? `, ${Math.floor((Number(row.done) / total) * 100)} %` : '';
  return `${row.index_name ?? 'index'}: ${row.phase}${share}`;
}

/**
 * Watches a session from a second connection while a statement runs: who blocks it (which cannot be asked once the
 * lock timeout has struck), and how far an index build is. The connection is made only when a statement takes long.
 */
export class Observer {
  readonly #session: Session;
  readonly #onProgress: (text: string) => void;
  readonly #firstLookMs: number;
  #side: Promise<SideConnection | undefined> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isWatching = false;
  #look: Promise<void> = Promise.resolve();
  /** Seen last, one a line; empty when nothing blocked. */
  blockers: readonly string[] = [];

  constructor(session: Session, lockTimeoutMs: number, onProgress: (text: string) => void) {
    this.#session = session;
    this.#onProgress = onProgress;
    this.#firstLookMs = lockTimeoutMs > 0 ? Math.min(FIRST_LOOK_MS, lockTimeoutMs / 3) : FIRST_LOOK_MS;
  }

  /** Runs the callback while watching. */
  async during<Result>(run: () => Promise<Result>): Promise<Result> {
    this.blockers = [];
    this.#isWatching = true;
    this.#schedule(this.#firstLookMs);
    try {
      return await run();
    } finally {
      this.#isWatching = false;
      clearTimeout(this.#timer);
      await this.#look;
    }
  }

  async close(): Promise<void> {
    const side = await this.#side?.catch(() => undefined);
    await side?.close();
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      // A failed look (too many connections, say) only costs the names of the blockers.
      this.#look = this.#lookOnce().catch(() => undefined);
    }, delayMs);
  }

  async #lookOnce(): Promise<void> {
    this.#side ??= this.#session.openSide();
    const side = await this.#side;
    if (side === undefined || !this.#isWatching) return;
    const { pid } = this.#session.info;
    const blockers = await side.query<BlockerRow>(sqlFile('session/blockers'), [pid]);
    if (blockers.length > 0) this.blockers = blockers.map(describeBlocker);
    const [progress] = await side.query<IndexProgressRow>(sqlFile('session/index-progress'), [pid]);
    if (blockers.length > 0) this.#onProgress(`waiting for a lock held by ${this.blockers[0] ?? ''}`);
    else if (progress !== undefined) this.#onProgress(describeProgress(progress));
    if (this.#isWatching) this.#schedule(LOOK_EVERY_MS);
  }
}
