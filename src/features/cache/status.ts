import type { CacheAccess } from './access.js';
import { KEY_START, tableOfKey } from './protocol/keys.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';

export interface CacheState {
  readonly database: string;
  readonly redis: string;
  readonly redisVersion: string;
  readonly redisUsedMemoryBytes: number;
  /** Caches of services that are connected to the database, as far as the role may see. */
  readonly listeners: number;
  /** Whether one of them shares this Redis; false: nothing in it is used. */
  readonly isShared: boolean;
  /** Entries that services answer from, by table. */
  readonly tables: readonly { readonly table: string; readonly entries: number }[];
  /** Keys of earlier epochs, which expire by themselves, and of other databases. */
  readonly otherKeys: number;
}

/** What is in the cache, and who shares it. Changes nothing. @throws AisecError as `CacheAccess.join` does. */
export async function cacheStatus(session: Session, access: CacheAccess): Promise<CacheState> {
  const { rows } = await session.query<{ listeners: number }>(sqlFile('cache/listeners'));
  const { version, usedMemoryBytes } = await access.inspection.facts();
  const prefix = await access.join(false);
  const counts = new Map<string, Set<string>>();
  const others = new Set<string>();
  for await (const keys of access.inspection.keysFrom(KEY_START)) {
    for (const key of keys) {
      const table = prefix === undefined ? undefined : tableOfKey(prefix, key);
      if (table === undefined) others.add(key);
      else counts.set(table, (counts.get(table) ?? new Set()).add(key));
    }
  }
  return {
    database: session.info.label,
    redis: access.redis,
    redisVersion: version,
    redisUsedMemoryBytes: usedMemoryBytes,
    listeners: rows[0]?.listeners ?? 0,
    isShared: prefix !== undefined,
    tables: ['assistants', 'system_settings', 'user_preferences'].map((table) => ({
      table,
      entries: [...(counts.get(table) ?? [])].filter((key) => key.includes('#')).length,
    })),
    otherKeys: others.size,
  };
}
