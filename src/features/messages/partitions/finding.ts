import type { Finding, Severity } from '../../../base/finding.js';

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
  | 'invalid-index'
  | 'owner'
  | 'triggers'
  | 'publication'
  | 'drain-leftovers'
  | 'drained-table'
  | 'keys-missing'
  | 'keys-orphaned'
  | 'keys-different'
  | 'keys-doubled';

/** A finding before it has its id and severity, which follow from its kind. */
export interface PartitionProblem extends Pick<Finding, 'message' | 'impact' | 'fix'> {
  readonly kind: FindingKind;
  /** Null when it is about a month that has none. */
  readonly partition: string | null;
}

export interface PartitionFinding extends Finding, PartitionProblem {}

const CRITICAL: readonly FindingKind[] = [
  'detach-pending',
  'row-security',
  'grants',
  'triggers',
  'publication',
  'keys-missing',
  'keys-orphaned',
  'keys-different',
  'keys-doubled',
];
const NOTICE: readonly FindingKind[] = ['drained-table'];

function severityOf(kind: FindingKind): Severity {
  if (CRITICAL.includes(kind)) return 'critical';
  return NOTICE.includes(kind) ? 'notice' : 'warning';
}

/** Gives each its id, which is the same in every run. */
export function asFindings(problems: readonly PartitionProblem[]): readonly PartitionFinding[] {
  return problems.map((problem) => ({
    id: `${problem.kind}:${problem.partition ?? 'messages'}`,
    severity: severityOf(problem.kind),
    object: problem.partition ?? 'messages',
    ...problem,
  }));
}

export interface MissingIndex {
  readonly name: string;
  readonly is_unique: boolean;
  /** The definition from USING on. */
  readonly method: string;
}

/** Of one partition, as sql/partitions/facts.sql reads it. */
export interface PartitionFacts {
  readonly partition_schema: string;
  readonly partition: string;
  readonly has_row_security: boolean;
  readonly grantees: readonly string[];
  readonly has_bound_check: boolean;
  readonly columns: readonly string[];
  readonly missing_indexes: readonly MissingIndex[];
  readonly invalid_indexes: readonly string[];
  readonly owner: string;
  readonly root_owner: string;
  /** Those that keep message_keys and are missing, disabled or not enabled always. */
  readonly wrong_triggers: readonly { readonly name: string; readonly is_missing: boolean; readonly enable: string }[];
  /** The same of the table that it is a partition of. */
  readonly wrong_root_triggers: readonly { readonly name: string; readonly enable: string }[];
}
