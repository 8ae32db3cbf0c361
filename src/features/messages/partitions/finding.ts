export type FindingKind =
  | 'months-ahead'
  | 'gap'
  | 'odd-bounds'
  | 'overlap'
  | 'detach-pending'
  | 'no-default-partition'
  | 'default-rows'
  | 'undated-rows'
  | 'row-security'
  | 'grants'
  | 'bound-check'
  | 'missing-index'
  | 'invalid-index';

/** One thing that is not as it should be. */
export interface PartitionFinding {
  readonly kind: FindingKind;
  /** Null when it is about a month that has none. */
  readonly partition: string | null;
  readonly what: string;
  /** What comes of it. */
  readonly why: string;
  /** The command or the SQL that mends it. */
  readonly mend: string;
}

/** Of one partition, as sql/partitions/facts.sql tells it. */
export interface PartitionFacts {
  readonly partition_schema: string;
  readonly partition: string;
  readonly has_row_security: boolean;
  readonly grantees: readonly string[];
  readonly has_bound_check: boolean;
  readonly columns: readonly string[];
  readonly missing_indexes: readonly { readonly name: string; readonly is_unique: boolean; readonly method: string }[];
  readonly invalid_indexes: readonly string[];
}
