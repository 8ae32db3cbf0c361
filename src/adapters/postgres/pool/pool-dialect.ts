import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type QueryCompiler,
} from 'kysely';

import { PoolDriver, type PoolDriverOptions } from './pool-driver.js';

/** Kysely's PostgreSQL dialect over `PoolDriver`: what `withUser` needs beneath it. */
export class PoolDialect implements Dialect {
  readonly #options: PoolDriverOptions;

  constructor(options: PoolDriverOptions) {
    this.#options = options;
  }

  createDriver(): Driver {
    return new PoolDriver(this.#options);
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter();
  }

  createIntrospector(...[db]: Parameters<Dialect['createIntrospector']>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }
}
