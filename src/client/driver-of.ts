import { findDriver } from '../adapters/postgres/pool/pool-dialect.js';
import type { PoolDriver } from '../adapters/postgres/pool/pool-driver.js';
import { AisecError } from '../base/errors.js';
import type { AnyDatabase } from './any-database.js';
import { checkDatabase } from './check-arguments.js';

/** @throws AisecError USAGE for a database that has no pool of ours, or a transaction. */
export function driverOf(db: AnyDatabase, caller: string): PoolDriver {
  checkDatabase(caller, db, 'USAGE');
  const driver = findDriver(db);
  if (driver !== undefined && !db.isTransaction) return driver;
  throw new AisecError(
    'USAGE',
    db.isTransaction
      ? `${caller} was called on a transaction`
      : `${caller}: the database was not made by createDatabase`,
    { hint: 'Call it on the database that createDatabase returned.' },
  );
}
