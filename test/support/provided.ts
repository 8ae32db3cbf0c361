/** What the global set-up provides to the tests: `inject('databaseUrl')`. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** A superuser's address of a PostgreSQL server with pgvector; null: there is none. */
    readonly databaseUrl: string | null;
    readonly redisUrl: string | null;
    /** One line saying which databases the tests run on; null: no project of this run uses one. */
    readonly databases: string | null;
    /** Part of the name of every database of this run. */
    readonly runId: string;
    /** A directory of this run, for what its test files share. */
    readonly runDirectory: string;
  }
}

export {};
