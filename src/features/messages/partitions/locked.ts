import { AisecError, isAisecError } from '../../../base/errors.js';

/**
 * Runs what only reads the catalog, sizes and the default partition. Even that waits for a session that has a partition
 * locked in ACCESS EXCLUSIVE mode: PostgreSQL opens a table to print its constraints or to measure it.
 *
 * @throws AisecError LOCK_TIMEOUT in words that say so.
 */
export async function readingPartitions<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!isAisecError(error, 'LOCK_TIMEOUT')) throw error;
    throw new AisecError('LOCK_TIMEOUT', 'another session has a partition of messages locked against readers', {
      detail: `No changes were made. The server says: ${error.message}.`,
      hint: 'Run it again when the VACUUM FULL, TRUNCATE or ALTER TABLE at work there is done.',
      sqlState: error.sqlState,
      cause: error.cause,
    });
  }
}
