export type PgToolName = 'pg_dump' | 'pg_restore' | 'pg_dumpall';

/** A PostgreSQL client program as it was found. */
export interface PgTool {
  readonly name: PgToolName;
  readonly path: string;
  /** `17.12`, `18beta1`. */
  readonly version: string;
  readonly major: number;
}
