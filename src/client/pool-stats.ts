import type { PoolStats } from '../adapters/postgres/pool/pool-driver.js';
import type { AnyDatabase } from './any-database.js';
import { driverOf } from './driver-of.js';

/**
 * How many connections of a database are open, idle and in use at this moment, and how many callers wait for one. Asks no
 * server.
 *
 * @throws AisecError USAGE.
 */
export function poolStats(db: AnyDatabase): PoolStats {
  return driverOf(db, 'poolStats').stats;
}
