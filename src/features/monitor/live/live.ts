import { notSeen } from '../inspection/skip.js';
import { inReadOnly } from '../inspection/read-only.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { isAisecError } from '../../../base/errors.js';
import { bySeverity, type Finding } from '../../../base/finding.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { LIVE_CHECKS } from './all-checks.js';
import type { Gauge, LiveCheck, LiveSubject } from './check.js';
import { onPrimary } from './on-primary.js';
import { once } from './once.js';
import type { Thresholds } from './thresholds.js';

/** How the server is at this moment. */
export interface LiveReadings {
  /** Worst first. */
  readonly findings: readonly Finding[];
  readonly gauges: readonly Gauge[];
  readonly skipped: readonly Finding[];
}

type Looked = Awaited<ReturnType<LiveCheck['look']>>;

/** One check that fails must not take the figures of the others with it. */
async function look(check: LiveCheck, subject: LiveSubject): Promise<Looked> {
  try {
    return await inReadOnly(subject.session, () => check.look(subject));
  } catch (error) {
    if (isAisecError(error, 'LOCK_TIMEOUT', 'DATABASE_FAILED'))
      return { skipped: `the server says: ${error.message}`, lacksGrant: false };
    if (isAisecError(error, 'PRIVILEGE_MISSING')) return { skipped: error.message, lacksGrant: true };
    throw error;
  }
}

async function readIsStandby(session: Session): Promise<boolean> {
  const { rows } = await session.query<{ is_standby: boolean }>('select pg_catalog.pg_is_in_recovery() as is_standby');
  return rows[0]?.is_standby === true;
}

/**
 * Runs all checks of a server's state, each in a short read-only transaction of its own. The embedded database has one
 * session and none of this.
 *
 * @throws AisecError CONNECTION_LOST, INTERRUPTED, TERMINATED.
 */
export async function readLive(
  session: Session,
  { schema, role, thresholds }: { readonly schema: string; readonly role: string; readonly thresholds: Thresholds },
): Promise<LiveReadings> {
  const findings: Finding[] = [];
  const gauges: Gauge[] = [];
  const skipped: Finding[] = [];
  if (session.info.kind !== 'server') return { findings, gauges, skipped };
  const isStandby = await readIsStandby(session);
  const placed = <Found extends Finding>(finding: Found): Found => (isStandby ? onPrimary(finding) : finding);
  const subject: LiveSubject = { session, schema, thresholds, once: once<LiveSubject>(() => subject) };
  for (const check of LIVE_CHECKS) {
    const looked = await look(check, subject);
    if ('notApplicable' in looked) continue;
    if ('skipped' in looked) {
      const grant = looked.lacksGrant ? check.grant?.(quoteIdentifier(schema), quoteIdentifier(role)) : undefined;
      skipped.push(placed(notSeen(check.id, looked.skipped, grant ?? null)));
      continue;
    }
    findings.push(
      ...looked.faults
        .filter((fault) => fault !== undefined)
        .map((fault) => placed({ id: `${check.id}:${fault.object}`, ...fault })),
    );
    gauges.push(...looked.gauges);
  }
  return { findings: findings.toSorted(bySeverity), gauges, skipped };
}
