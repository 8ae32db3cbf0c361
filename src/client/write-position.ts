import { printLsn } from '../adapters/postgres/pool/write-positions.js';
import type { AnyDatabase } from './any-database.js';
import { driverOf } from './driver-of.js';

/**
 * The position of the write-ahead log behind the last transaction that this process has committed for a user: for the
 * `notBefore` of another process that reads from replicas (in a cookie, say, or a message). Undefined: nothing is known, also
 * when there are no replicas.
 *
 * @throws AisecError USAGE.
 */
export function writePosition(db: AnyDatabase, userId: string): string | undefined {
  const position = driverOf(db, 'writePosition').positionOf(userId);
  return position === undefined || position === 0n ? undefined : printLsn(position);
}
