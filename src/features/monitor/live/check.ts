import type { Session } from '../../../adapters/postgres/session.js';
import type { Finding, Severity } from '../../../base/finding.js';
import type { Once } from './once.js';
import type { Threshold, Thresholds } from './thresholds.js';

/** What a check found, without the part of the id that is the check's own. */
export type LiveFault = Omit<Finding, 'id'>;

/** A figure that is worth recording whether or not something is wrong. */
export interface Gauge {
  /** Of Prometheus: `aisec_sessions_blocked`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Null: not known, which is no sample. */
  readonly value: number | null;
  /** From which values on something is found, in the unit of the value. */
  readonly threshold?: Threshold;
}

export interface LiveResult {
  /** Undefined: nothing is wrong there. */
  readonly faults: readonly (LiveFault | undefined)[];
  readonly gauges: readonly Gauge[];
}

/** Why a check could not look: never the same as nothing found. */
export interface Skip {
  readonly skipped: string;
  /** Whether the check's `grant` would let it look. */
  readonly lacksGrant: boolean;
}

/** The check has no object here, such as replication slots in the embedded database. */
export interface NotApplicable {
  readonly notApplicable: string;
}

export interface LiveSubject {
  readonly session: Session;
  readonly schema: string;
  readonly thresholds: Thresholds;
  readonly once: Once<LiveSubject>;
}

/** One kind of trouble that a server may be in now. Doctor, the overview and both exports run the same ones. */
export interface LiveCheck {
  readonly id: string;
  readonly area: 'live' | 'wraparound' | 'vacuum' | 'replication';
  readonly severity: Severity;
  /** What it looks for: a noun phrase, for the list of checks. */
  readonly title: string;
  /** For a role that may only connect: what it needs beyond that, from quoted names. Undefined: nothing. */
  readonly grant?: (schema: string, role: string) => string;
  readonly look: (subject: LiveSubject) => Promise<LiveResult | Skip | NotApplicable>;
}
