import type { Session } from '../../../adapters/postgres/session.js';
import { monthEndMs, monthStartMs } from '../../../base/month.js';
import { COUNTED_BYTES } from './facts.js';
import { isOfMonth, type ArchivePlan, type MonthPlan, type WaitingRows, type WholeMonthPlan } from './plan.js';

/** The rows before the cutoff that wait in the default partition, by month. */
export async function readWaitingRows(
  session: Session,
  defaultPartition: string | null,
  cutoffMs: number,
): Promise<readonly WaitingRows[]> {
  if (defaultPartition === null) return [];
  const { rows } = await session.query<WaitingRows>(
    `select pg_catalog.to_char(pg_catalog.date_trunc('month', created_at at time zone 'UTC'), 'YYYY-MM') as month,
            count(*)::float8 as rows
     from only ${defaultPartition}
     where created_at >= '0001-01-01 00:00:00+00' and created_at < $1
     group by 1
     order by 1`,
    [new Date(cutoffMs).toISOString()],
  );
  return rows;
}

async function withCountedRows(session: Session, plan: WholeMonthPlan, cutoffMs: number): Promise<MonthPlan> {
  const isRowMove = plan.action === 'move older rows';
  // An estimate of 0 may be of an ANALYZE before the first row.
  if ((plan.rows ?? 0) > 0 || (!isRowMove && plan.sizeBytes > COUNTED_BYTES)) return plan;
  const tables = plan.sources.length > 0 ? plan.sources : plan.partition === null ? [] : [plan.partition];
  let total = 0;
  for (const table of tables) {
    const { rows } = await session.query<{ rows: number }>(
      `select count(*)::float8 as rows from only ${table} where created_at >= $1 and created_at < $2`,
      [
        new Date(monthStartMs(plan.month)).toISOString(),
        new Date(Math.min(monthEndMs(plan.month), cutoffMs)).toISOString(),
      ],
    );
    total += rows[0]?.rows ?? 0;
  }
  return { ...plan, rows: total, rowsAreExact: true };
}

/** Fills in row counts where there is no estimate and counting is cheap or needed. */
export async function withRowCounts(session: Session, plan: ArchivePlan): Promise<ArchivePlan> {
  const months: MonthPlan[] = [];
  for (const month of plan.months)
    months.push(isOfMonth(month) ? await withCountedRows(session, month, plan.cutoffMs) : month);
  return { ...plan, months };
}
