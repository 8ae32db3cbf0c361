import type { Session } from '../../adapters/postgres/session.js';
import { applyIgnores, type Ignore, type IgnoredBy, type IgnoreProblem } from '../../config/ignores.js';
import type { RedisTarget } from '../../config/redis-target.js';
import type { MigrateSettings } from '../migrate/checks.js';
import { ALL_CHECKS } from './all-checks.js';
import { bySeverity, type Finding as BaseFinding, type Severity } from '../../base/finding.js';
import { groupBy } from '../../base/group-by.js';
import { onPrimary, once, type Thresholds } from '../monitor/checks.js';
import type { Area, Check, Subject } from './check.js';
import { examine } from './examine.js';
import type { Finding, SkippedCheck } from './finding.js';
import { groupFindings } from './group-findings.js';
import { isOfDatabase } from './of-database.js';
import { limitSession } from './session-limits.js';

export interface DoctorOptions {
  readonly schema: string;
  readonly checks: readonly Check[];
  readonly migrations: MigrateSettings;
  readonly backupDirectory: string;
  readonly thresholds: Thresholds;
  readonly redis: RedisTarget | null;
  readonly ignores: readonly Ignore[];
  /** Whether checks of the server and of the database as a whole are left to the run in another schema. Default: not. */
  readonly isOneOfSeveral?: boolean;
  /** Whether to measure what findings cost. Default: not. */
  readonly isTiming?: boolean;
  /** Called before each check, with how many are done. */
  readonly onStep?: (text: string) => void;
}

export interface Diagnosis {
  readonly database: string;
  readonly schema: string;
  readonly role: string;
  /** RFC 3339, by this machine's clock. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly counts: {
    /** That looked, with or without a finding. */
    readonly checks: number;
    readonly findings: number;
    readonly critical: number;
    readonly warning: number;
    readonly notice: number;
    readonly skipped: number;
    readonly notApplicable: number;
    readonly ignored: number;
  };
  /** By area, the worst first. */
  readonly findings: readonly Finding[];
  readonly skipped: readonly SkippedCheck[];
  readonly notApplicable: readonly { readonly check: string; readonly area: Area; readonly reason: string }[];
  readonly ignored: readonly (Finding & IgnoredBy)[];
  readonly ignoreProblems: readonly IgnoreProblem[];
}

function subjectOf(session: Session, options: DoctorOptions, roleName: string): Subject {
  const { schema, migrations, backupDirectory, thresholds, redis } = options;
  const subject: Subject = {
    session,
    schema,
    roleName,
    migrations,
    backupDirectory,
    thresholds,
    isTiming: options.isTiming === true,
    redis,
    once: once<Subject>(() => subject),
  };
  return subject;
}

const LOOKED_AT_ONCE = 'it is the same in all schemas, and looked at in the first one';

/** Areas in the order of their worst finding, and within them the worst first. */
function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const areas = [...groupBy(findings, ({ area }) => area).values()].map((found) => found.toSorted(bySeverity));
  return areas.toSorted(([one], [other]) => (one && other ? bySeverity(one, other) : 0)).flat();
}

/**
 * Runs the checks one after the other on the one session: read only, at most 200 ms behind a lock for each, whatever
 * tables appear or vanish meanwhile.
 *
 * @throws AisecError MIGRATION_PENDING without a table of the platform; CONNECTION_LOST, INTERRUPTED, TERMINATED.
 */
export async function diagnose(session: Session, options: DoctorOptions): Promise<Diagnosis> {
  const startedMs = performance.now();
  const startedAt = new Date();
  const { roleName, isStandby } = await limitSession(session, options.schema);
  const subject = subjectOf(session, options, roleName);
  const placed = <Found extends BaseFinding>(finding: Found): Found => (isStandby ? onPrimary(finding) : finding);
  const found: Finding[] = [];
  const skipped: SkippedCheck[] = [];
  const notApplicable: { check: string; area: Area; reason: string }[] = [];
  for (const [done, check] of options.checks.entries()) {
    options.onStep?.(`${check.id}, ${done} of ${options.checks.length} checks done`);
    if (options.isOneOfSeveral === true && isOfDatabase(check)) {
      notApplicable.push({ check: check.id, area: check.area, reason: LOOKED_AT_ONCE });
      continue;
    }
    const result = await examine(check, subject);
    found.push(...result.findings.map(placed));
    if (result.skipped !== null) skipped.push(placed(result.skipped));
    if (result.notApplicable !== null)
      notApplicable.push({ check: check.id, area: check.area, reason: result.notApplicable });
  }
  const looked = new Set(options.checks.map(({ id }) => id));
  for (const { check } of [...skipped, ...notApplicable]) looked.delete(check);
  const {
    findings: kept,
    ignored,
    problems,
  } = applyIgnores(found, options.ignores, {
    known: new Set(ALL_CHECKS.map(({ id }) => id)),
    looked,
    now: startedAt,
  });
  const findings = groupFindings(kept);
  const count = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  return {
    database: session.info.label,
    schema: options.schema,
    role: subject.roleName,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - startedMs),
    counts: {
      checks: looked.size,
      findings: findings.length,
      critical: count('critical'),
      warning: count('warning'),
      notice: count('notice'),
      skipped: skipped.length,
      notApplicable: notApplicable.length,
      ignored: ignored.length,
    },
    findings: sortFindings(findings),
    skipped,
    notApplicable,
    ignored,
    ignoreProblems: problems,
  };
}
