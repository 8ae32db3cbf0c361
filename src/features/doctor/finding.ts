import type { Area, Check, Fault, Severity } from './check.js';

/** A fault with the check that found it. */
export interface Finding {
  /** `rls-off:users`. */
  readonly id: string;
  readonly check: string;
  readonly area: Area;
  readonly severity: Severity;
  readonly object: string;
  readonly what: string;
  readonly why: string;
  readonly mend: string;
  /** Null unless it was asked for. */
  readonly evidence: string | null;
}

/** A check that could not look. */
export interface SkippedCheck {
  readonly check: string;
  readonly area: Area;
  readonly reason: string;
  /** What would let this role look; null when no right is missing. */
  readonly grant: string | null;
}

export function findingOf({ id, area, severity }: Check, fault: Fault): Finding {
  return {
    id: `${id}:${fault.object}`,
    check: id,
    area,
    severity: fault.severity ?? severity,
    object: fault.object,
    what: fault.what,
    why: fault.why,
    mend: fault.mend,
    evidence: fault.evidence ?? null,
  };
}
