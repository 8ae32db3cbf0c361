import { AisecError } from '../base/errors.js';
import type { AnyDatabase } from './any-database.js';
import { checkOptions } from './check-arguments.js';
import { driverOf } from './driver-of.js';

export interface CloseOptions {
  /** How long running transactions and queries may take to end. Default: 10 s. */
  readonly timeoutMs?: number;
  /** Closed as well, after them: a transaction may still read it. */
  readonly cache?: { close(): Promise<void> };
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Ends a service's use of its database: from the call on, new transactions and queries are refused (DATABASE_CLOSED); those
 * that run, or wait for a connection, may end within `timeoutMs`; then all connections are closed. What still runs by then
 * loses its connection (ConnectionLostError), and the server rolls it back.
 *
 * @returns how many were still running when the time was over.
 * @throws AisecError USAGE, CONFIG_INVALID.
 * @example
 * process.once('SIGTERM', async () => {
 *   await server.close(); // no new requests, and those that run end
 *   await closeDatabase(db, { cache });
 * });
 */
export async function closeDatabase(db: AnyDatabase, options: CloseOptions = {}): Promise<number> {
  checkOptions('closeDatabase', options, { timeoutMs: true, cache: true }, 'CONFIG_INVALID');
  const { timeoutMs = DEFAULT_TIMEOUT_MS, cache } = options;
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 0 || timeoutMs >= 2 ** 31) {
    throw new AisecError('CONFIG_INVALID', `closeDatabase: timeoutMs is ${String(timeoutMs)}`, {
      hint: 'It is a whole number of milliseconds, from 0 on.',
    });
  }
  const unfinished = await driverOf(db, 'closeDatabase').close(timeoutMs);
  await cache?.close();
  return unfinished;
}
