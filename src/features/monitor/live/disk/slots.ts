import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../../base/bytes.js';
import { quoteLiteral } from '../../../../base/identifier.js';
import type { LiveCheck, LiveFault } from '../check.js';
import { levelOf, type Thresholds } from '../thresholds.js';

interface SlotRow {
  readonly name: string;
  readonly is_active: boolean;
  readonly is_lost: boolean;
  readonly retained_bytes: string | null;
  readonly has_limit: boolean;
}

function slotFault(slot: SlotRow, thresholds: Thresholds): LiveFault | undefined {
  const { name } = slot;
  const drop = `select pg_drop_replication_slot(${quoteLiteral(name)});`;
  const retained = Number(slot.retained_bytes ?? 0);
  if (slot.is_lost)
    return {
      object: name,
      severity: 'critical',
      message: `replication slot ${name} has lost the WAL it needs`,
      impact: 'its standby or subscriber cannot continue from it and has to be made again',
      fix: drop,
    };
  const level = levelOf(retained, thresholds['slot-bytes']);
  if (level === undefined && (slot.is_active || slot.has_limit)) return undefined;
  const limit = slot.has_limit ? '' : ', without a limit (max_slot_wal_keep_size = -1)';
  return {
    object: name,
    severity: level ?? 'warning',
    message: `replication slot ${name} ${slot.is_active ? 'lags' : 'is not in use'} and keeps ${formatBytes(retained)} of WAL${limit}`,
    impact: slot.is_active
      ? 'WAL piles up until the disk is full and the server stops'
      : 'WAL piles up until the disk is full and the server stops, unless its reader comes back or the slot is dropped',
    fix: slot.is_active ? "alter system set max_slot_wal_keep_size = '20GB';\nselect pg_reload_conf();" : drop,
  };
}

export const SLOTS: LiveCheck = {
  id: 'replication-slot',
  area: 'replication',
  severity: 'critical',
  title: 'slots that are lost, that no process uses while there is no limit on their WAL, or that keep much WAL',
  look: async ({ session, thresholds }) => {
    const { rows } = await session.query<SlotRow>(sqlFile('monitor/replication-slots'));
    return {
      faults: rows.map((row) => slotFault(row, thresholds)),
      gauges: rows.flatMap((row) => [
        {
          name: 'aisec_slot_retained_bytes',
          help: 'WAL that a replication slot keeps.',
          labels: { slot: row.name },
          value: row.retained_bytes === null ? null : Number(row.retained_bytes),
        },
        {
          name: 'aisec_slot_is_active',
          help: '1 while a process uses the replication slot.',
          labels: { slot: row.name },
          value: row.is_active ? 1 : 0,
        },
      ]),
    };
  },
};
