import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../../base/bytes.js';
import { countText } from '../../../../base/count.js';
import { quoteLiteral } from '../../../../base/identifier.js';
import type { LiveCheck, LiveFault } from '../check.js';
import { MONITOR } from '../privileges.js';
import { levelOf, scaled } from '../thresholds.js';

interface WalRow {
  readonly total_bytes: string;
  readonly limit_bytes: string;
  readonly max_wal_size: string;
  readonly wal_keep_size: string;
  readonly slot_name: string | null;
  readonly slot_bytes: string | null;
  readonly is_slot_active: boolean | null;
  readonly waiting: number;
}

/** Segments that the archiver has not come to in the ordinary course of things. */
const FEW_WAITING = 10;

/** What keeps it, as far as it is known, and what ends that. */
function causeOf(row: WalRow): { readonly text: string; readonly fix: string | null } {
  const slotBytes = Number(row.slot_bytes ?? 0);
  if (row.slot_name !== null && slotBytes > Number(row.total_bytes) / 2)
    return {
      text: `replication slot ${row.slot_name}, ${row.is_slot_active === true ? 'whose reader is behind' : 'which no process uses'}, keeps ${formatBytes(slotBytes)} of it`,
      fix: row.is_slot_active === true ? null : `select pg_drop_replication_slot(${quoteLiteral(row.slot_name)});`,
    };
  if (row.waiting > FEW_WAITING)
    return { text: `${countText(row.waiting, 'segment')} of it wait to be archived`, fix: null };
  return {
    text: 'more was written than checkpoints could follow; a checkpoint frees it',
    fix: 'checkpoint;',
  };
}

function faultOf(row: WalRow, severity: 'warning' | 'critical'): LiveFault {
  const times = Math.floor(Number(row.total_bytes) / Number(row.limit_bytes));
  const limit =
    Number(row.limit_bytes) > 0 && row.wal_keep_size !== '0'
      ? `max_wal_size is ${row.max_wal_size} and wal_keep_size ${row.wal_keep_size}`
      : `max_wal_size is ${row.max_wal_size}`;
  const { text, fix } = causeOf(row);
  return {
    object: 'pg_wal',
    severity,
    message: `WAL takes ${formatBytes(Number(row.total_bytes))} of disk, ${times} times what it should (${limit}); ${text}`,
    impact: 'when the disk of pg_wal is full the server stops; files in pg_wal must never be deleted by hand',
    fix,
  };
}

export const WAL_SIZE: LiveCheck = {
  id: 'wal-size',
  area: 'replication',
  severity: 'warning',
  title: 'more WAL on disk than max_wal_size allows for, with what keeps it',
  grant: MONITOR,
  look: async ({ session, thresholds }) => {
    const { rows: privileges } = await session.query<{ can_list: boolean }>(
      `select pg_catalog.has_function_privilege('pg_catalog.pg_ls_waldir()', 'execute')
         and pg_catalog.has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'execute') as can_list`,
    );
    if (privileges[0]?.can_list !== true)
      return { skipped: 'permission denied for function pg_ls_waldir', lacksGrant: true };
    const { rows } = await session.query<WalRow>(sqlFile('monitor/wal-directory'));
    const [row] = rows;
    if (row === undefined) return { faults: [], gauges: [] };
    const severity = levelOf((Number(row.total_bytes) / Number(row.limit_bytes)) * 100, thresholds['wal-size']);
    return {
      faults: [severity && faultOf(row, severity)],
      gauges: [
        {
          name: 'aisec_wal_bytes',
          help: 'WAL on the disk of the server.',
          value: Number(row.total_bytes),
          threshold: scaled(thresholds['wal-size'], Number(row.limit_bytes) / 100),
        },
        {
          name: 'aisec_wal_limit_bytes',
          help: 'WAL that max_wal_size, or wal_keep_size if that is more, allows for.',
          value: Number(row.limit_bytes),
        },
      ],
    };
  },
};
