import type { Session } from '../../adapters/postgres/session.js';
import type { RedisTarget } from '../../config/redis-target.js';
import type { Finding, Severity } from '../../base/finding.js';
import type { MigrateSettings } from '../migrate/checks.js';
import type { NotApplicable, Once, Skip, Thresholds } from '../monitor/checks.js';

export const AREAS = [
  'live',
  'security',
  'partitions',
  'archive',
  'migrations',
  'integrity',
  'indexes',
  'vectors',
  'wraparound',
  'vacuum',
  'replication',
  'sequences',
  'settings',
  'versions',
  'citus',
  'backups',
  'redis',
] as const;

export type Area = (typeof AREAS)[number];

export type { Severity } from '../../base/finding.js';

/** One thing that is not as it should be, as a check reports it; `object` is a part of the id, so it must stay the same. */
export interface Fault extends Pick<Finding, 'object' | 'message' | 'impact' | 'fix'> {
  /** When it differs from the check's own. */
  readonly severity?: Severity;
  /** What was measured of it, where that was asked for. */
  readonly evidence?: string;
}

export type { NotApplicable, Skip } from '../monitor/checks.js';

export type Outcome = Fault | readonly Fault[] | Skip | NotApplicable;

/** What all checks of a run look at. */
export interface Subject {
  readonly session: Session;
  readonly schema: string;
  readonly roleName: string;
  readonly migrations: MigrateSettings;
  /** Absolute; it may not be there. */
  readonly backupDirectory: string;
  /** From which value on the checks of the server's state find something. */
  readonly thresholds: Thresholds;
  /** Whether to measure what findings cost, which runs code of the database's owner, such as functions of policies. */
  readonly isTiming: boolean;
  /** Null without REDIS_URL. */
  readonly redis: RedisTarget | null;
  /** What several checks look at is read once; a failure, too, is theirs together. */
  readonly once: Once<Subject>;
}

/** What a role lacks, as GRANT and the like; both arguments are quoted, ready for SQL. */
export type GrantFor = (schema: string, role: string) => string;

export interface Check {
  /** Stable; a finding's id is this, a colon, and the object. */
  readonly id: string;
  readonly area: Area;
  /** The usual one. */
  readonly severity: Severity;
  /** What it looks for: a noun phrase, for the list of checks. */
  readonly title: string;
  /** For a role that may only connect: what it needs beyond that. Undefined: nothing. */
  readonly grant?: GrantFor;
  readonly examine: (subject: Subject) => Promise<Outcome>;
}
