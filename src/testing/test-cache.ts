import type { Kysely } from 'kysely';

import { loadRows } from '../client/cache-reader.js';
import { cacheReads } from '../client/cache-reads.js';
import type { Cache } from '../client/create-cache.js';
import type { DB } from '../schema/index.js';

/**
 * What `createCache` gives, over a test database in the process, where nothing can listen: every read goes to the database, as
 * the owner of the rows under row-level security, and shows what is committed. Not inside of `withUser`, which has the one
 * session.
 */
export function createTestCache({ db }: { readonly db: Kysely<DB> }): Cache {
  let databaseReads = 0;
  return {
    ...cacheReads((query) => {
      databaseReads += 1;
      return loadRows(db, query, undefined);
    }),
    sync: () => Promise.resolve(),
    ready: () => Promise.resolve(true),
    status: () => ({
      isListening: false,
      problem: undefined,
      redis: 'none',
      localEntries: 0,
      localHits: 0,
      redisHits: 0,
      databaseReads,
    }),
    close: () => Promise.resolve(),
  };
}
