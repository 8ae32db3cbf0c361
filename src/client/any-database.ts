import type { QueryExecutorProvider } from 'kysely';

/** A Kysely database or transaction, whatever its tables. */
export interface AnyDatabase extends QueryExecutorProvider {
  readonly isTransaction: boolean;
  /** The helpers read columns by the names that the database has. */
  withoutPlugins(): AnyDatabase;
  transaction(): { execute<Result>(run: (trx: AnyDatabase) => Promise<Result>): Promise<Result> };
}
