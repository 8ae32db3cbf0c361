import type { CacheAccess } from './access.js';
import { KEY_START } from './protocol/keys.js';
import { AisecError } from '../../base/errors.js';

export interface FlushResult {
  readonly redis: string;
  readonly isDryRun: boolean;
  /** Keys that were removed from Redis, or would be. */
  readonly keys: number;
}

/**
 * Empties the cache: all services forget what they keep in their processes and turn to a new epoch, then the keys are
 * removed.
 *
 * @throws AisecError as `CacheAccess.join` does.
 */
export async function flushCache(access: CacheAccess, isDryRun: boolean): Promise<FlushResult> {
  if (!isDryRun) {
    await access.join(true);
    if (!(await access.membership.declareEpoch()) || !(await access.listener.barrier()))
      throw new AisecError('CONNECTION_LOST', 'the connection broke before all services were notified', {
        hint: 'Run it again.',
      });
  }
  let removed = 0;
  for await (const keys of access.inspection.keysFrom(KEY_START))
    removed += isDryRun ? keys.length : await access.inspection.remove(keys);
  return { redis: access.redis, isDryRun, keys: removed };
}
