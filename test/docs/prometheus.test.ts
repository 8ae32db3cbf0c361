import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';

import { ALL_CHECKS } from '../../src/features/doctor/all-checks.js';
import { THRESHOLDS, type ThresholdName } from '../../src/features/monitor/live/thresholds.js';
import { exportedMetrics, metricsIn } from '../support/exported-metrics.js';

const run = promisify(execFile);
const rulesFile = path.join(import.meta.dirname, '..', '..', 'docs', 'prometheus-rules.yml');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const rules = (
  parse(readFileSync(rulesFile, 'utf8')) as { groups: readonly { rules: readonly Rule[] }[] }
).groups.flatMap((group) => group.rules);

/** An alert, and the series that make the value of its threshold what it is. */
type Case = readonly [alert: string, ...series: readonly (readonly [name: string, of: (value: number) => number])[]];

const same = (value: number): number => value;
const seconds = (milliseconds: number): number => milliseconds / 1000;
const ofHundred = 100;
const ids = (percent: number): number => Math.ceil((percent / 100) * 2 ** 31);

const CASES: Readonly<Record<ThresholdName, readonly Case[]>> = {
  'blocked-time': [['AisecLockWait', ['aisec_longest_lock_wait_seconds', seconds]]],
  'blocked-sessions': [['AisecSessionsBlocked', ['aisec_sessions_blocked', same]]],
  'idle-transaction': [['AisecTransactionIdle', ['aisec_longest_idle_transaction_seconds', seconds]]],
  transaction: [['AisecTransactionLong', ['aisec_longest_transaction_seconds', seconds]]],
  'prepared-transaction': [['AisecPreparedTransaction', ['aisec_oldest_prepared_transaction_seconds', seconds]]],
  'horizon-ids': [['AisecHorizonHeld', ['aisec_xmin_horizon_age', same]]],
  'horizon-time': [['AisecHorizonOld', ['aisec_xmin_horizon_seconds', seconds]]],
  wraparound: [
    ['AisecTransactionIds', ['aisec_transaction_id_age', ids]],
    ['AisecMultixactIds', ['aisec_multixact_id_age', ids]],
  ],
  'dead-rows': [
    [
      'AisecDeadRows',
      ['aisec_table_dead_rows', (percent) => percent * 1000],
      ['aisec_table_rows', (percent) => (ofHundred - percent) * 1000],
    ],
  ],
  connections: [['AisecConnections', ['aisec_connections', same], ['aisec_connections_usable', () => ofHundred]]],
  'replica-bytes': [
    ['AisecReplicaLagBytes', ['aisec_replica_lag_bytes', same]],
    ['AisecStandbyWaiting', ['aisec_standby_waiting_bytes', same]],
  ],
  'replica-time': [
    ['AisecReplicaLagTime', ['aisec_replica_lag_seconds', seconds]],
    ['AisecStandbyLag', ['aisec_standby_lag_seconds', seconds]],
  ],
  'slot-bytes': [['AisecSlotBytes', ['aisec_slot_retained_bytes', same]]],
  'wal-size': [['AisecWalSize', ['aisec_wal_bytes', same], ['aisec_wal_limit_bytes', () => ofHundred]]],
  'wal-waiting': [['AisecWalWaiting', ['aisec_wal_waiting', same]]],
  'temporary-bytes': [['AisecTemporaryFiles', ['aisec_temporary_bytes', same]]],
  'disk-used': [
    ['AisecDisk', ['aisec_disk_used_bytes', same], ['aisec_disk_free_bytes', (percent) => ofHundred - percent]],
  ],
  'lock-table': [['AisecLockTable', ['aisec_locks', same], ['aisec_locks_capacity', () => ofHundred]]],
};

/** Alerts without a threshold of ours: what is well, what warns and what is critical. */
const STATES: readonly (readonly [
  alert: string,
  metric: string,
  well: string,
  warning: string | null,
  critical: string | null,
])[] = [
  ['AisecChecksumFailures', 'aisec_checksum_failures', '0', null, '1'],
  ['AisecFindings', 'aisec_live_findings{severity="critical"}', '0', null, '1'],
  ['AisecSlotUnused', 'aisec_slot_is_active', '1', '0', null],
  ['AisecSubscriptionStopped', 'aisec_subscription_is_running', '1', null, '0'],
  ['AisecArchiverFails', 'aisec_archiver_is_failing', '0', null, '1'],
  ['AisecDefaultRows', 'aisec_messages_default_rows', '0', '1', '10000'],
  // Prometheus' time in a test begins with 1970: it is looked at after 4,800 seconds.
  ['AisecSizeLimit', 'aisec_limit_reached_timestamp_seconds{bound="expected"}', '2700000', '2500000', '600000'],
  ['AisecExportStale', 'aisec_monitor_last_run_timestamp_seconds', '4800', '3000', '1000'],
  ['AisecMonthsAhead', 'aisec_messages_months_ahead', '2', '1', '-1'],
  ['AisecChecksSkipped', 'aisec_live_checks_skipped', '0', '1', null],
];

interface Firing {
  readonly name: string;
  readonly series: Readonly<Record<string, number | string>>;
  /** By alert, in the order of the severities. */
  readonly fires: Readonly<Record<string, readonly string[]>>;
}

const labelled = (metric: string): string =>
  metric.includes('{') ? metric.replace('}', ',database="app"}') : `${metric}{database="app"}`;

/** What `promtool test rules` takes: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/ */
function unitTest({ name, series, fires }: Firing): object {
  const alerts = Object.keys(fires).join('|');
  return {
    name,
    interval: '10m',
    input_series: Object.entries(series).map(([metric, value]) => ({ series: labelled(metric), values: `${value}x8` })),
    promql_expr_test: [
      {
        expr: `sum by (alertname, severity) (ALERTS{alertname=~"${alerts}", alertstate="firing"})`,
        eval_time: '80m',
        exp_samples: Object.entries(fires).flatMap(([alert, severities]) =>
          severities.map((severity) => ({ labels: `{alertname="${alert}", severity="${severity}"}`, value: 1 })),
        ),
      },
    ],
  };
}

/** All thresholds at once, since promtool makes a database for each test. */
const LEVELS: readonly (readonly [name: string, of: (name: ThresholdName) => number, severities: readonly string[]])[] =
  [
    ['just below warning', (name) => THRESHOLDS[name].warning - stepOf(name), []],
    ['at warning', (name) => THRESHOLDS[name].warning, ['warning']],
    ['just below critical', (name) => THRESHOLDS[name].critical - stepOf(name), ['warning']],
    ['at critical', (name) => THRESHOLDS[name].critical, ['warning', 'critical']],
  ];

function stepOf(name: ThresholdName): number {
  return THRESHOLDS[name].unit === 'percent' ? 0.001 : 1;
}

const levelFirings: readonly Firing[] = LEVELS.map(([name, of, severities]) => {
  const cases = (Object.keys(CASES) as (keyof typeof CASES)[]).flatMap((threshold) =>
    CASES[threshold].map(([alert, ...series]) => ({ alert, series, value: of(threshold) })),
  );
  return {
    name,
    fires: Object.fromEntries(cases.map(({ alert }) => [alert, severities])),
    series: Object.fromEntries(cases.flatMap(({ series, value }) => series.map(([metric, at]) => [metric, at(value)]))),
  };
});

const stateFirings: readonly Firing[] = STATES.flatMap(([alert, metric, well, warning, critical]) => {
  const at = (value: string | null, severities: readonly string[]): readonly Firing[] =>
    value === null
      ? []
      : [{ name: `${alert} at ${value}`, series: { [metric]: value }, fires: { [alert]: severities } }];
  const worst = warning === null ? ['critical'] : ['warning', 'critical'];
  return [...at(well, []), ...at(warning, ['warning']), ...at(critical, worst)];
});

const missing: readonly Firing[] = [
  { name: 'no export', series: {}, fires: { AisecExportMissing: ['critical'] } },
  { name: 'an export', series: { aisec_monitor_last_run_timestamp_seconds: 4800 }, fires: { AisecExportMissing: [] } },
];

describe('docs/prometheus-rules.yml', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'aisec-rules-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  async function promtoolTests(tests: readonly object[]): Promise<string> {
    const file = path.join(directory, 'tests.yml');
    writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: '10m', tests }));
    return (await run('promtool', ['test', 'rules', file])).stdout;
  }

  test('is valid for promtool, and asks only for metrics that are exported', async () => {
    expect((await run('promtool', ['check', 'rules', rulesFile])).stdout).toContain(`${rules.length} rules found`);
    const exported = exportedMetrics();
    expect(rules.flatMap(({ expr }) => metricsIn(expr)).filter((name) => !exported.has(name))).toEqual([]);
  });

  test('fires at each threshold that doctor has, and not just below it', async () => {
    const thresholds = Object.keys(CASES) as (keyof typeof CASES)[];
    expect(thresholds.toSorted()).toEqual(Object.keys(THRESHOLDS).toSorted());
    expect(await promtoolTests(levelFirings.map(unitTest))).toContain('SUCCESS');
  });

  test('fires for each state without a threshold, and for an export that is old or never came', async () => {
    const firings = [...stateFirings, ...missing];
    expect(await promtoolTests(firings.map(unitTest))).toContain('SUCCESS');
    const tried = new Set([...firings, ...levelFirings].flatMap(({ fires }) => Object.keys(fires)));
    expect(rules.map(({ alert }) => alert).filter((alert) => !tried.has(alert))).toEqual([]);
  });

  test('says what is wrong where, and names a command that is there', async () => {
    const checks: readonly string[] = ALL_CHECKS.flatMap(({ id, area }) => [id, area]);
    for (const { annotations } of rules) {
      const [, wanted] = /^Run: aisec doctor --only (\S+)$/.exec(annotations.description) ?? [];
      for (const name of wanted?.split(',') ?? []) expect(checks).toContain(name);
      if (wanted === undefined)
        expect(annotations.description).toMatch(
          /^Run: aisec (doctor|partitions ensure|monitor (export --prometheus -|growth --verbose))$/,
        );
    }
    await promtoolTests([
      {
        interval: '10m',
        input_series: [{ series: 'aisec_slot_retained_bytes{database="app",slot="gone"}', values: '6442450944x2' }],
        alert_rule_test: [
          {
            alertname: 'AisecSlotBytes',
            eval_time: '0m',
            exp_alerts: [
              {
                exp_labels: { severity: 'critical', database: 'app', slot: 'gone' },
                exp_annotations: {
                  summary: 'app: replication slot gone keeps 6GiB of WAL',
                  description: 'Run: aisec doctor --only replication-slot',
                },
              },
            ],
          },
        ],
      },
    ]);
  });
});
