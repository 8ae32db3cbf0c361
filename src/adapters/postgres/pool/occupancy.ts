import { onAbort } from './on-abort.js';
import type { PooledConnection } from './pooled-connection.js';

/** Who holds a connection of a pool, and who waits for one. */
export class Occupancy {
  readonly #held = new Set<PooledConnection>();
  /** What ends the wait of each caller. */
  readonly #waiting = new Set<(error: Error) => void>();
  #onIdle: (() => void) | undefined;

  /** Waits for a connection until the signal is aborted; one that comes later goes back at once. */
  async take(connect: () => Promise<PooledConnection>, signal?: AbortSignal): Promise<PooledConnection> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const forget =
        signal &&
        onAbort(signal, () => {
          this.#waiting.delete(reject);
          reject(signal.reason as Error);
          this.#look();
        });
      connect().then(
        (connection) => {
          forget?.();
          if (this.#waiting.delete(reject)) {
            this.#held.add(connection);
            resolve(connection);
          } else connection.release();
        },
        (error: unknown) => {
          forget?.();
          this.#waiting.delete(reject);
          reject(error instanceof Error ? error : new Error(String(error)));
          this.#look();
        },
      );
    });
  }

  give(connection: PooledConnection): void {
    this.#held.delete(connection);
    this.#look();
  }

  /** Resolves with false when the time is over and connections are still in use. */
  async untilIdle(timeoutMs: number): Promise<boolean> {
    if (this.#isIdle) return true;
    return new Promise((resolve) => {
      const timer = Number.isFinite(timeoutMs) ? setTimeout(() => resolve(false), timeoutMs) : undefined;
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /** Breaks what is in use, and ends the wait of the others with the error. Returns how many callers that were. */
  cut(error: Error): number {
    const count = this.#held.size + this.#waiting.size;
    for (const connection of this.#held) connection.cut();
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    return count;
  }

  get #isIdle(): boolean {
    return this.#held.size === 0 && this.#waiting.size === 0;
  }

  #look(): void {
    if (this.#isIdle) this.#onIdle?.();
  }
}
