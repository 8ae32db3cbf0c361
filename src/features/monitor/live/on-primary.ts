import type { Finding } from '../../../base/finding.js';

/** What a standby takes: it writes no row, but ends sessions, changes its own settings and slots, and runs programs. */
const RUNS_ON_STANDBY =
  /^(?:--|\\connect|alter system\b|select pg_(?:terminate_backend|cancel_backend|wal_replay_resume|drop_replication_slot|reload_conf)\(|redis-cli|pgbackrest|aisec (?:backup|monitor|doctor|cache)\b)/;

/** The finding of a standby, whose fix says that it is for the primary where a standby would refuse it. */
export function onPrimary<Found extends Pick<Finding, 'fix'>>(finding: Found): Found {
  const { fix } = finding;
  if (fix === null || fix.split('\n').every((line) => RUNS_ON_STANDBY.test(line))) return finding;
  return { ...finding, fix: `${fix.startsWith('aisec ') ? '#' : '--'} on the primary:\n${fix}` };
}
