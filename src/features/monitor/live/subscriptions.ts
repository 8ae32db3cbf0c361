import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatDurationMs } from '../../../base/duration.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { LiveCheck, LiveFault } from './check.js';
import { levelOf, type Thresholds } from './thresholds.js';

interface SubscriptionRow {
  readonly name: string;
  readonly is_enabled: boolean;
  readonly is_running: boolean;
  readonly behind_ms: string | null;
  readonly apply_errors: string;
  readonly sync_errors: string;
}

function subscriptionFault(row: SubscriptionRow, thresholds: Thresholds): LiveFault | undefined {
  const { name, is_enabled: isEnabled, is_running: isRunning } = row;
  const errors = Number(row.apply_errors) + Number(row.sync_errors);
  const failed = errors === 0 ? '' : `; ${errors} errors since the counters began`;
  const impact = 'rows of the publisher do not arrive, and its slot keeps WAL until its disk is full';
  const enable = `alter subscription ${quoteIdentifier(name)} enable;`;
  if (!isEnabled)
    return {
      object: name,
      severity: 'warning',
      message: `subscription ${name} is disabled${failed}`,
      impact,
      fix: enable,
    };
  if (!isRunning)
    return {
      object: name,
      severity: 'critical',
      message: `subscription ${name} is enabled, and no worker applies it${failed}`,
      impact: `${impact}; the error of the worker is in the log of this server, and max_logical_replication_workers limits how many there are`,
      fix: null,
    };
  const behindMs = Number(row.behind_ms ?? 0);
  const severity = levelOf(behindMs, thresholds['replica-time']);
  if (severity === undefined) return undefined;
  return {
    object: name,
    severity,
    message: `subscription ${name} has heard nothing new from its publisher for ${formatDurationMs(behindMs)}${failed}`,
    impact,
    fix: `alter subscription ${quoteIdentifier(name)} disable;\n${enable}`,
  };
}

export const SUBSCRIPTIONS: LiveCheck = {
  id: 'subscription',
  area: 'replication',
  severity: 'warning',
  title: 'subscriptions that are disabled, without a worker, or behind',
  look: async ({ session, thresholds }) => {
    const { rows } = await session.query<SubscriptionRow>(sqlFile('monitor/subscriptions'));
    return {
      faults: rows.map((row) => subscriptionFault(row, thresholds)),
      gauges: rows.flatMap((row) => [
        {
          name: 'aisec_subscription_is_running',
          help: '1 while a worker applies the subscription.',
          labels: { subscription: row.name },
          value: row.is_running ? 1 : 0,
        },
        {
          name: 'aisec_subscription_errors',
          help: 'Errors of a subscription since the counters began.',
          labels: { subscription: row.name },
          value: Number(row.apply_errors) + Number(row.sync_errors),
        },
      ]),
    };
  },
};
