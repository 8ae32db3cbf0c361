import type { Kysely } from 'kysely';

import type { DB } from '../schema/index.js';
import type { Factories } from './factories.js';

export interface TestDatabaseOptions {
  /**
   * Directory of migrations of your own, applied after those of the package; as `aisec --migrations-dir` takes it, so that
   * `'aisec=./dir'` puts others in their place. Default:
   * what AISEC_MIGRATIONS_DIR, `.env` or package.json says, as for `aisec migrate`.
   */
  readonly migrationsDir?: string;
  /** Where snapshots are kept, 15 MB each. Default: `.aisec/test-snapshots`. */
  readonly cacheDir?: string;
  /** `postgres://…` of a server whose role may make databases: a database of its own there instead of one in this process. */
  readonly url?: string;
}

export interface TestDatabase<Tables = DB> {
  /** As a service has it in production: `withUser` works, and what is done without it is refused (42501). */
  readonly db: Kysely<Tables>;
  /** For arranging and looking: as the superuser, or on a server as the role of the url. */
  readonly admin: Kysely<Tables>;
  /** Rows of the platform's tables, as `admin`. */
  readonly make: Factories;
  /** Of the service, for further privileges: `grant execute on function hash_password(text) to …`. */
  readonly role: string;
  /**
   * Of the copy on a server, as the service, for code that connects by itself, such as createCache; undefined for a database in this
   * process.
   */
  readonly url: string | undefined;
  /** Removes all rows, ends open transactions, and forgets what tests have set in a session. A change of the schema stays. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
