import { countText } from '../../../base/count.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../base/bytes.js';
import type { Gauge, LiveCheck } from './check.js';
import { MONITOR } from './privileges.js';
import { levelOf } from './thresholds.js';

interface CounterRow {
  readonly database_name: string | null;
  readonly is_here: boolean;
  readonly checksum_failures: string | null;
  readonly last_checksum_failure: string | null;
  readonly deadlocks: string;
  readonly conflicts: string;
  readonly temporary_files: string;
  readonly temporary_bytes: string;
}

function gaugesOf(row: CounterRow): readonly Gauge[] {
  const labels = { database: row.database_name ?? '' };
  const gauge = (name: string, help: string, value: string | null): Gauge => ({
    name,
    help: `${help} since the counters began.`,
    labels,
    value: value === null ? null : Number(value),
  });
  return [
    gauge('aisec_checksum_failures', 'Pages of a database whose checksum was wrong,', row.checksum_failures),
    gauge('aisec_deadlocks', 'Deadlocks of a database', row.deadlocks),
    gauge('aisec_conflicts', 'Queries cancelled by recovery on a standby', row.conflicts),
    gauge('aisec_temporary_files_written', 'Temporary files that queries wrote', row.temporary_files),
    gauge('aisec_temporary_bytes_written', 'Bytes of temporary files that queries wrote', row.temporary_bytes),
  ];
}

export const CHECKSUMS: LiveCheck = {
  id: 'checksum-failures',
  area: 'live',
  severity: 'critical',
  title: 'pages whose checksum was wrong',
  look: async ({ session }) => {
    const { rows } = await session.query<CounterRow>(sqlFile('monitor/database-counters'));
    return {
      faults: rows
        .filter((row) => Number(row.checksum_failures ?? 0) > 0)
        .map((row) => {
          const name = row.database_name ?? 'shared catalogs';
          return {
            object: name,
            severity: 'critical',
            message: `${countText(Number(row.checksum_failures), 'page')} of ${row.database_name === null ? 'the shared catalogs' : `database ${name}`} failed a checksum${row.last_checksum_failure === null ? '' : `, the last at ${row.last_checksum_failure}`}`,
            impact:
              'the disk or its controller damages data; restore the damaged table from a verified backup on other hardware before pg_stat_reset() clears the count',
            fix: null,
          } as const;
        }),
      gauges: rows.filter((row) => row.is_here).flatMap(gaugesOf),
    };
  },
};

interface TemporaryRow {
  readonly files: number;
  readonly total_bytes: string;
  readonly largest_pid: number | null;
  readonly largest_bytes: string | null;
}

export const TEMPORARY_FILES: LiveCheck = {
  id: 'temporary-files',
  area: 'live',
  severity: 'warning',
  title: 'temporary files that take much disk now',
  grant: MONITOR,
  look: async ({ session, thresholds }) => {
    const { rows: privileges } = await session.query<{ can_list: boolean }>(
      `select pg_catalog.has_function_privilege('pg_catalog.pg_ls_tmpdir(oid)', 'execute') as can_list`,
    );
    if (privileges[0]?.can_list !== true)
      return { skipped: 'permission denied for function pg_ls_tmpdir', lacksGrant: true };
    const { rows } = await session.query<TemporaryRow>(sqlFile('monitor/temporary-files'));
    const { files = 0, total_bytes: total = '0', largest_pid: pid, largest_bytes: largest } = rows[0] ?? {};
    const severity = levelOf(Number(total), thresholds['temporary-bytes']);
    const most = typeof pid === 'number' ? `; session ${pid} wrote ${formatBytes(Number(largest ?? 0))} of them` : '';
    return {
      faults: [
        severity && {
          object: 'temporary files',
          severity,
          message: `${countText(files, 'temporary file')} take ${formatBytes(Number(total))} of disk${most}`,
          impact: 'a sort or join that does not fit into work_mem fills the disk, and then every write fails',
          fix: typeof pid === 'number' ? `select pg_cancel_backend(${pid});` : null,
        },
      ],
      gauges: [
        {
          name: 'aisec_temporary_bytes',
          help: 'Temporary files on disk now.',
          value: Number(total),
          threshold: thresholds['temporary-bytes'],
        },
      ],
    };
  },
};
