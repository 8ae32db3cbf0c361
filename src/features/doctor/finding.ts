import type { Finding as BaseFinding } from '../../base/finding.js';
import type { Area, Check, Fault } from './check.js';

/** A fault with the check that found it. */
export interface Finding extends BaseFinding {
  readonly check: string;
  readonly area: Area;
  /** Null unless it was asked for. */
  readonly evidence: string | null;
}

/** A check that could not look. */
export interface SkippedCheck {
  readonly check: string;
  readonly area: Area;
  readonly reason: string;
  /** What would let this role look; null when no privilege is missing. */
  readonly fix: string | null;
}

export function findingOf({ id, area, severity }: Check, fault: Fault): Finding {
  return {
    id: `${id}:${fault.object}`,
    check: id,
    area,
    severity: fault.severity ?? severity,
    object: fault.object,
    message: fault.message,
    impact: fault.impact,
    fix: fault.fix,
    evidence: fault.evidence ?? null,
  };
}
