import type { QueryExecutorProvider } from 'kysely';

/** A Kysely database or transaction, whatever its tables. */
export interface AnyDatabase extends QueryExecutorProvider {
  readonly isTransaction: boolean;
  transaction(): { execute<Result>(run: (trx: AnyDatabase) => Promise<Result>): Promise<Result> };
}
