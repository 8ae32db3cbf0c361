import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type QueryCompiler,
  type QueryExecutorProvider,
} from 'kysely';

import { PoolDriver, type PoolDriverOptions } from './pool-driver.js';

/** The one part of a dialect that every database and transaction made of it has: by it the driver is found again. */
class PoolAdapter extends PostgresAdapter {
  readonly driver: PoolDriver;

  constructor(driver: PoolDriver) {
    super();
    this.driver = driver;
  }
}

/** The driver of a Kysely database or transaction; undefined when another dialect made it. */
export function findDriver(db: QueryExecutorProvider): PoolDriver | undefined {
  const { adapter } = db.getExecutor();
  return adapter instanceof PoolAdapter ? adapter.driver : undefined;
}

/** Kysely's PostgreSQL dialect over `PoolDriver`: what `withUser` needs beneath it. For one database. */
export class PoolDialect implements Dialect {
  readonly #driver: PoolDriver;

  constructor(options: PoolDriverOptions) {
    this.#driver = new PoolDriver(options);
  }

  createDriver(): Driver {
    return this.#driver;
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new PoolAdapter(this.#driver);
  }

  createIntrospector(...[db]: Parameters<Dialect['createIntrospector']>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }
}
