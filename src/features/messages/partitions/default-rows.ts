import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { parseMonth, type Month } from '../../../base/month.js';
import { qualifiedName, type Partition } from '../partition.js';

/** Rows of the default partition by their month; `undatedRows` lie outside of the years 1 to 9999 (infinity, say). */
export interface DefaultRows {
  readonly byMonth: ReadonlyMap<Month, number>;
  readonly undatedRows: number;
}

interface MonthRow {
  readonly month: string | null;
  readonly rows: string;
}

function countQuery(partition: Partition): string {
  return `select
            case
              when created_at >= '0001-01-01 00:00:00+00' and created_at < '10000-01-01 00:00:00+00'
                then to_char(created_at at time zone 'UTC', 'YYYY-MM')
            end as month,
            count(*) as rows
          from only ${qualifiedName(partition)}
          group by 1
          order by 1`;
}

/**
 * Counts the rows of the default partition by month; one scan of it, none when it is empty.
 *
 * @throws AisecError PRIVILEGE_MISSING when the role may not see every row.
 */
export async function countDefaultRows(session: Session, partition: Partition | undefined): Promise<DefaultRows> {
  if (partition === undefined) return { byMonth: new Map(), undatedRows: 0 };
  try {
    const { rows } = await session.query<MonthRow>(countQuery(partition));
    const counts = rows.map((row) => ({ month: parseMonth(row.month ?? ''), rows: Number(row.rows) }));
    return {
      byMonth: new Map(counts.flatMap(({ month, rows: count }) => (month === undefined ? [] : [[month, count]]))),
      undatedRows: counts.find(({ month }) => month === undefined)?.rows ?? 0,
    };
  } catch (error) {
    if (!isAisecError(error, 'PRIVILEGE_MISSING')) throw error;
    throw new AisecError('PRIVILEGE_MISSING', `this role may not read every row of ${partition.name}`, {
      detail: `The server says: ${error.message}.`,
      hint: 'Run it as the owner of the tables, the role that runs `aisec migrate up`. Do they have several owners? aisec doctor --only mixed-owners',
      sqlState: error.sqlState,
      cause: error.cause,
    });
  }
}
