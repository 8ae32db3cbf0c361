import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { countText, formatCount } from '../../../base/count.js';
import { XID_LIMIT } from '../vacuum-shares.js';
import type { VacuumRow } from '../vacuum.js';
import type { LiveCheck, LiveFault, LiveSubject } from './check.js';
import { levelOfHolder, readHolders, type Holder } from './holders.js';
import { READ_ALL_STATS, skipUnlessAllIsSeen } from './privileges.js';
import { levelOf, type Thresholds } from './thresholds.js';
import { inSql, readFamilies, subjectOf, type Family } from './vacuum-rows.js';

/** Fewer are no matter, whatever their share. */
const FEW_DEAD_ROWS = 1000;
/** Of fewer rows the planner's guesses cost nothing. */
const FEW_ROWS = 10_000;
/** From this many times the age on at which autovacuum freezes, it does not keep up. */
const LATE_FREEZE = 2;

/** The oldest that is old enough to be the reason; only what is known is named. */
async function lateHolder({ session, thresholds }: LiveSubject): Promise<Holder | undefined> {
  const holders = await readHolders(session);
  return holders.find(
    (holder) => (holder.kind !== 'slot' || holder.xidAge > 0) && levelOfHolder(holder, thresholds) !== undefined,
  );
}

/** What has to run before a vacuum can do anything, and the vacuum. */
function vacuumFix(
  concerned: readonly VacuumRow[],
  command: string,
  holder: Holder | undefined,
): { readonly cause: string; readonly fix: string | null } {
  const off = concerned.filter((row) => row.is_autovacuum_off);
  const resets = off.map((row) => `alter table ${inSql(row)} reset (autovacuum_enabled);`);
  const vacuums = concerned.map((row) => `${command} ${inSql(row)};`);
  const causes = [
    ...(off.length === 0 ? [] : ['autovacuum is off for it']),
    ...(holder === undefined ? [] : [`${holder.text} holds vacuum back`]),
  ];
  return {
    cause: causes.length === 0 ? '' : `; ${causes.join(', and ')}`,
    fix:
      holder !== undefined && holder.fix === null
        ? null
        : [...(holder?.fix ? [holder.fix] : []), ...resets, ...vacuums].join('\n'),
  };
}

const deadOf = (row: VacuumRow): number => Number(row.dead_rows);
const rowsOf = (row: VacuumRow): number => Number(row.live_rows) + deadOf(row);
const deadPercent = (row: VacuumRow): number => (rowsOf(row) === 0 ? 0 : (deadOf(row) / rowsOf(row)) * 100);

function deadFault(family: Family, holder: Holder | undefined, thresholds: Thresholds): LiveFault | undefined {
  const levelOfRow = (row: VacuumRow): 'critical' | 'warning' | undefined =>
    !row.has_counters || deadOf(row) < FEW_DEAD_ROWS ? undefined : levelOf(deadPercent(row), thresholds['dead-rows']);
  const late = family.leaves
    .filter((row) => levelOfRow(row) !== undefined)
    .toSorted((one, other) => deadPercent(other) - deadPercent(one));
  const [worst] = late;
  if (worst === undefined) return undefined;
  const { cause, fix } = vacuumFix(late, 'vacuum (analyze)', holder);
  return {
    object: family.root.identifier,
    severity: levelOfRow(worst) ?? 'warning',
    message: `${formatCount(deadOf(worst))} of ${formatCount(rowsOf(worst))} rows of ${late.length === 1 ? subjectOf(family, late) : worst.identifier} are dead (${Math.round(deadPercent(worst))} %)${late.length > 1 ? `, and as many of ${countText(late.length - 1, 'more partition')}` : ''}${cause}`,
    impact: 'queries read the dead rows, too, and the table grows; a vacuum makes their space usable again',
    fix,
  };
}

export const DEAD_ROWS: LiveCheck = {
  id: 'vacuum-dead-rows',
  area: 'vacuum',
  severity: 'warning',
  title: 'tables and partitions of which a large part is dead rows, with what keeps vacuum from deleting them',
  look: async (subject) => {
    const [families, holder] = [await subject.once(readFamilies), await subject.once(lateHolder)];
    const rows = families.flatMap(({ leaves }) => leaves);
    return {
      faults: families.map((family) => deadFault(family, holder, subject.thresholds)),
      gauges: [
        {
          name: 'aisec_tables_vacuum_due',
          help: 'Tables and partitions that autovacuum has to visit, by its settings and theirs.',
          value: rows.filter((row) => row.is_vacuum_due).length,
        },
        {
          name: 'aisec_tables_analyze_due',
          help: 'Tables and partitions that autovacuum has to analyze, by its settings and theirs.',
          value: rows.filter((row) => row.is_analyze_due).length,
        },
      ],
    };
  },
};

function freezeFault(family: Family, holder: Holder | undefined): LiveFault | undefined {
  const age = (row: VacuumRow): number =>
    Math.max((row.xid_age ?? 0) / row.freeze_max_age, (row.mxid_age ?? 0) / row.multixact_freeze_max_age);
  const late = family.leaves.filter((row) => row.is_freeze_due).toSorted((one, other) => age(other) - age(one));
  const [oldest] = late;
  if (oldest === undefined) return undefined;
  const { cause, fix } = vacuumFix(late, 'vacuum (freeze)', holder);
  const percent = (Math.max(oldest.xid_age ?? 0, oldest.mxid_age ?? 0) / XID_LIMIT) * 100;
  return {
    object: family.root.identifier,
    severity: age(oldest) >= LATE_FREEZE ? 'warning' : 'notice',
    message: `${subjectOf(family, late)} ${late.length === 1 ? 'is' : 'are'} due to be frozen: the oldest transaction id is ${formatCount(oldest.xid_age ?? 0)} transactions old (${percent.toFixed(1)} % of the limit)${cause}`,
    impact:
      'autovacuum reads the whole table for it, at a time of its own choice; when it does not come to its end, transaction ids run out',
    fix,
  };
}

export const FREEZE: LiveCheck = {
  id: 'vacuum-freeze',
  area: 'vacuum',
  severity: 'notice',
  title: 'tables and partitions that are due to be frozen; a warning where autovacuum is twice too late',
  look: async (subject) => {
    const [families, holder] = [await subject.once(readFamilies), await subject.once(lateHolder)];
    return {
      faults: families.map((family) => freezeFault(family, holder)),
      gauges: [
        {
          name: 'aisec_tables_freeze_due',
          help: 'Tables and partitions that are due to be frozen.',
          value: families.flatMap(({ leaves }) => leaves).filter((row) => row.is_freeze_due).length,
        },
      ],
    };
  },
};

export const AUTOVACUUM_OFF: LiveCheck = {
  id: 'autovacuum-off',
  area: 'vacuum',
  severity: 'warning',
  title: 'tables and partitions for which autovacuum is off',
  look: async ({ once }) => {
    const families = await once(readFamilies);
    return {
      faults: families.map((family): LiveFault | undefined => {
        const off = family.leaves.filter((row) => row.is_autovacuum_off || row.is_toast_autovacuum_off);
        if (off.length === 0) return undefined;
        return {
          object: family.root.identifier,
          severity: 'warning',
          message: `autovacuum is off for ${off.every((row) => !row.is_autovacuum_off) ? 'the TOAST table of ' : ''}${subjectOf(family, off)}`,
          impact: 'dead rows pile up there and its statistics grow old, until it is vacuumed by hand',
          fix: off
            .map((row) => `alter table ${inSql(row)} reset (autovacuum_enabled, toast.autovacuum_enabled);`)
            .join('\n'),
        };
      }),
      gauges: [],
    };
  },
};

export const NEVER_ANALYZED: LiveCheck = {
  id: 'vacuum-never-analyzed',
  area: 'vacuum',
  severity: 'warning',
  title: 'tables and partitions with many rows that were never vacuumed or analyzed',
  look: async ({ once }) => {
    const families = await once(readFamilies);
    return {
      faults: families.map((family): LiveFault | undefined => {
        const never = family.leaves.filter((row) => row.is_never_analyzed && Number(row.live_rows) >= FEW_ROWS);
        if (never.length === 0) return undefined;
        return {
          object: family.root.identifier,
          severity: 'warning',
          message: `${subjectOf(family, never)} ${never.length === 1 ? 'was' : 'were'} never vacuumed or analyzed, with ${formatCount(never.reduce((sum, row) => sum + Number(row.live_rows), 0))} rows${never.some((row) => row.is_autovacuum_off) ? '; autovacuum is off for it' : ''}`,
          impact: 'the planner guesses how many rows a condition leaves, and chooses slow plans',
          fix: never.map((row) => `vacuum (analyze) ${inSql(row)};`).join('\n'),
        };
      }),
      gauges: [],
    };
  },
};

interface WorkerRow {
  readonly working: number;
  readonly most: number;
  readonly cost_limit: number;
  readonly cost_delay_ms: number;
}

/** The delay that PostgreSQL comes with. */
const USUAL_DELAY_MS = 2;

export const WORKERS: LiveCheck = {
  id: 'autovacuum-workers',
  area: 'vacuum',
  severity: 'warning',
  title: 'all workers of autovacuum at work while tables wait for one',
  grant: READ_ALL_STATS,
  look: async ({ session, once }) => {
    const skip = await skipUnlessAllIsSeen(session, 'the workers of autovacuum');
    if (skip !== undefined) return skip;
    const { rows } = await session.query<WorkerRow>(sqlFile('monitor/autovacuum-workers'));
    const families = await once(readFamilies);
    const waiting = families
      .flatMap(({ leaves }) => leaves)
      .filter((row) => row.is_vacuum_due && row.vacuum_pid === null && !row.is_autovacuum_off).length;
    const { working = 0, most = 1, cost_limit: limit = 200, cost_delay_ms: delayMs = 2 } = rows[0] ?? {};
    const isSlow = delayMs > USUAL_DELAY_MS;
    return {
      faults: [
        working < most || waiting === 0
          ? undefined
          : {
              object: 'autovacuum_max_workers',
              severity: 'warning',
              message: `all ${countText(most, 'worker')} of autovacuum ${most === 1 ? 'is' : 'are'} at work, and ${countText(waiting, 'table waits', 'tables wait')} for a vacuum`,
              impact: `dead rows pile up in those that wait; the workers share ${limit} cost units every ${delayMs} ms, which the statement raises without a restart`,
              fix: `alter system set autovacuum_vacuum_cost_limit = ${Math.min(10_000, limit * 5)};\n${isSlow ? `alter system set autovacuum_vacuum_cost_delay = '${USUAL_DELAY_MS}ms';\n` : ''}select pg_reload_conf();`,
            },
      ],
      gauges: [
        { name: 'aisec_autovacuum_workers', help: 'Workers of autovacuum that are at work.', value: working },
        { name: 'aisec_autovacuum_workers_max', help: 'Workers of autovacuum that there may be.', value: most },
      ],
    };
  },
};
