import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { quoteLiteral } from '../../../../base/identifier.js';
import { addMonths, monthStart } from '../../../../base/month.js';
import { AisecError } from '../../../../base/errors.js';
import { qualifiedName } from '../../partition.js';
import type { Copy, DrainSet } from './copies.js';
import { differencesTable } from './objects.js';

const IDS_A_BATCH = 500;

/** Which rows the default partition and the copies do not have alike, as a query of ids; `condition` limits both sides. */
export function differingIds({ columns, copies, source }: DrainSet, condition = 'true'): string {
  const list = columns.join(', ');
  const union = copies.map(({ table }) => `select ${list} from only ${table} where ${condition}`).join('\n union all ');
  const row = (alias: string): string => `row(${columns.map((column) => `${alias}.${column}`).join(', ')})::record`;
  // *<> compares the bytes of each value, so that it works for types without an equality.
  return `
    select coalesce(waiting.id, copied.id) as id
    from (select ${list} from only ${qualifiedName(source)} where ${condition}) as waiting
    full join (${union}) as copied
      on copied.id = waiting.id
      and copied.created_at = waiting.created_at
    where waiting.id is null
      or copied.id is null
      or ${row('waiting')} *<> ${row('copied')}`;
}

/** Compares every row, in one statement and so in one MVCC snapshot, and notes the ids that differ; returns how many. */
export async function noteDifferences(session: Session, set: DrainSet): Promise<number> {
  return withTransaction(session, async () => {
    await session.query(`
      set transaction isolation level read committed;
      set local row_security to off;
      set local work_mem to '64MB'`);
    const { rowCount } = await session.query(`insert into ${differencesTable(set.schema)} (id) ${differingIds(set)}`);
    return rowCount;
  });
}

/** Thrown by each step that finds it: what was copied is no longer there. */
export function truncatedMeanwhile(): AisecError {
  return new AisecError('LOCK_TIMEOUT', 'the default partition of messages was truncated while it was drained', {
    detail: 'No changes were made.',
    hint: 'Run it again.',
    sqlState: '40001',
  });
}

function belongs({ month }: Copy, others: readonly Copy[]): string {
  const range = (one: Copy['month']): string =>
    one === null
      ? 'false'
      : `created_at >= ${quoteLiteral(monthStart(one))} and created_at < ${quoteLiteral(monthStart(addMonths(one, 1)))}`;
  if (month !== null) return range(month);
  return `not (${others.map((other) => `(${range(other.month)})`).join(' or ')})`;
}

/** The rows with these ids are copied again. Each is locked before, so that it cannot change meanwhile. */
async function copyAnew(
  session: Session,
  { columns, copies, source }: DrainSet,
  ids: readonly string[],
): Promise<void> {
  const list = columns.join(', ');
  await session.query(`select from only ${qualifiedName(source)} where id = any ($1::uuid[]) order by id for update`, [
    ids,
  ]);
  for (const { table } of copies) await session.query(`delete from only ${table} where id = any ($1::uuid[])`, [ids]);
  for (const copy of copies)
    await session.query(
      `insert into ${copy.table} (${list})
       select ${list}
       from only ${qualifiedName(source)}
       where id = any ($1::uuid[])
         and ${belongs(copy, copies)}
       on conflict do nothing`,
      [ids],
    );
}

/**
 * Copies the noted rows again, some a transaction, until no note is left; returns how many.
 *
 * @throws AisecError LOCK_TIMEOUT when a row stays locked, or the default partition was truncated.
 */
export async function settleDifferences(
  session: Session,
  set: DrainSet,
  retry: <Result>(run: () => Promise<Result>) => Promise<Result>,
): Promise<number> {
  const differences = differencesTable(set.schema);
  let settled = 0;
  for (;;) {
    const ids = await retry(() =>
      withTransaction(session, async () => {
        await session.query(`
          set transaction isolation level read committed;
          set local row_security to off;
          set local enable_seqscan to off;
          set local lock_timeout to '200ms'`);
        const { rows } = await session.query<{ id: string | null }>(
          `delete from ${differences}
           where ctid = any (array(select ctid from ${differences} limit ${IDS_A_BATCH}))
           returning id`,
        );
        const found = [...new Set(rows.map(({ id }) => id))];
        const known = found.filter((id) => id !== null);
        if (known.length !== found.length) throw truncatedMeanwhile();
        if (known.length > 0) await copyAnew(session, set, known);
        return known;
      }),
    );
    if (ids.length === 0) return settled;
    settled += ids.length;
  }
}
