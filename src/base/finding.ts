/** Worst first. A notice is worth knowing and never fails a run. */
export const SEVERITIES = ['critical', 'warning', 'notice'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** One thing that is not as it should be: the same six fields in every command's JSON. */
export interface Finding {
  /** Stable between runs: the check, a colon and the object, as in `rls-off:users`. */
  readonly id: string;
  readonly severity: Severity;
  /** What it is about, as SQL would name it. */
  readonly object: string;
  /** What is wrong, in a sentence with figures. */
  readonly message: string;
  /** What follows from it, in a sentence. */
  readonly impact: string;
  /** Statements for psql or one command for a shell, which run when pasted; null when only a person can decide. */
  readonly fix: string | null;
}

interface Severe {
  readonly severity: Severity;
}

/** The order of findings, the worst first: for toSorted, and below zero when the first is the worse. */
export function bySeverity(one: Severe, other: Severe): number {
  return SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity);
}
