import type { CacheAccess } from './access.js';
import { KEY_START } from './protocol/keys.js';

export interface ForgetResult {
  readonly redis: string;
  /** Keys that were removed from Redis. */
  readonly keys: number;
}

/** Removes the entries of one user from Redis; services have forgotten theirs when the rows were deleted. */
export async function forgetUser(access: CacheAccess, userId: string): Promise<ForgetResult> {
  let removed = 0;
  for await (const keys of access.inspection.keysFrom(KEY_START)) {
    const own = keys.filter((key) => key.includes(userId));
    if (own.length > 0) removed += await access.inspection.remove(own);
  }
  return { redis: access.redis, keys: removed };
}
