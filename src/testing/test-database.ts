import type { Kysely } from 'kysely';

import type { DB } from '../schema/index.js';

export interface TestDatabaseOptions {
  /**
   * Directory of migrations of your own, applied after those of the package; as `aisec --migrations-dir` takes it, so that
   * `'aisec=./dir'` puts others in their place.
   */
  readonly migrationsDir?: string;
  /** Where snapshots are kept, 16 MB each. Default: `.aisec/test-snapshots`. */
  readonly cacheDir?: string;
  /** `postgres://…` of a server whose role may make databases: a database of its own there instead of one in this process. */
  readonly url?: string;
}

export interface TestDatabase<Tables = DB> {
  /** Works with `withUser` as a database of createDatabase does; outside of it, as the superuser (on a server: the role of the url). */
  readonly db: Kysely<Tables>;
  /** Of the copy on a server, for code that connects by itself, such as createCache; undefined for a database in this process. */
  readonly url: string | undefined;
  /** Removes all rows, ends open transactions, and forgets what tests have set in a session. A change of the schema stays. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
