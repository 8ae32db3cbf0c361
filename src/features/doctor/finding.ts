import type { Finding as BaseFinding } from '../../base/finding.js';
import { notSeen } from '../monitor/checks.js';
import type { Area, Check, Fault } from './check.js';

/** A fault with the check that found it. */
export interface Finding extends BaseFinding {
  readonly check: string;
  readonly area: Area;
  /** Null unless it was asked for. */
  readonly evidence: string | null;
}

/** A check that could not look; `fix` is what would let this role look, null when no privilege is missing. */
export interface SkippedCheck extends BaseFinding {
  readonly check: string;
  readonly area: Area;
}

export function skippedOf({ id, area }: Check, message: string, fix: string | null): SkippedCheck {
  return { ...notSeen(id, message, fix), check: id, area };
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
