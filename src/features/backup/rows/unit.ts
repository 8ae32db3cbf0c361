import type { TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { TableColumns, type RowColumn } from './columns.js';

/** A table of the live database with its rows of the backup. Messages, live and archived, are one: a month may have moved. */
export interface Unit {
  readonly key: TableKey;
  /** As SQL: where rows may be already. */
  readonly lookIn: readonly string[];
  /** As SQL: where rows go, in this order, with the condition on `staged`. */
  readonly targets: readonly { readonly table: string; readonly condition: string }[];
  /** As SQL: the temporary table of its rows, with their state. */
  readonly stage: string;
  /** Those that both have, in any of their tables. */
  readonly columns: readonly RowColumn[];
  /** Of the live tables. */
  readonly live: TableColumns;
  /** Of the backup, and of no live table. */
  readonly lostColumns: readonly string[];
}

export interface UnitPlan {
  readonly key: TableKey;
  /** The tables of the backup that its rows come from. */
  readonly sources: readonly TableKey[];
  readonly lookIn: readonly string[];
  readonly targets: Unit['targets'];
}

type Comparable = Pick<Unit, 'columns' | 'live'>;

/** Texts, since not every type has an equality. */
function allEqual({ columns, live }: Comparable, table: string): string {
  return columns
    .map(({ name }) => {
      const column = quoteIdentifier(name);
      return live.has(table, name)
        ? `live.${column}::text is not distinct from staged.${column}::text`
        : `staged.${column} is null`;
    })
    .join(' and ');
}

/** The same row as one of a table, by the primary key; of a table without one, by all of it. */
export function isSameRow(unit: Comparable, table: string): string {
  const keys = unit.columns.filter(({ isKey }) => isKey).map(({ name }) => quoteIdentifier(name));
  if (keys.length === 0) return allEqual(unit, table);
  return keys.map((name) => `live.${name} = staged.${name}`).join(' and ');
}

function existsIn({ lookIn }: Unit, condition: (table: string) => string): string {
  return `(${lookIn.map((table) => `exists (select from ${table} as live where ${condition(table)})`).join(' or ')})`;
}

/** Of equal rows as many are there as are found: a table without a primary key may have a row several times. */
async function countEqualRows(session: Session, unit: Unit): Promise<void> {
  const values = unit.columns.map(({ name }) => `${quoteIdentifier(name)}::text`).join(', ');
  const present = unit.lookIn.map(
    (table) => `(select pg_catalog.count(*) from ${table} as live where ${allEqual(unit, table)})`,
  );
  await session.query(
    `update ${unit.stage} as staged
     set aisec_state = case when numbered.number <= (${present.join(' + ')}) then 'equal' else 'new' end
     from (
       select ctid as place, pg_catalog.row_number() over (partition by ${values}) as number from ${unit.stage}
     ) as numbered
     where numbered.place = staged.ctid`,
  );
}

/** Sets the state of each staged row by what is there: `new`, `equal` or `differs`. */
export async function compareStage(session: Session, unit: Unit): Promise<void> {
  if (!unit.columns.some(({ isKey }) => isKey)) return countEqualRows(session, unit);
  await session.query(
    `update ${unit.stage} as staged set aisec_state = case
       when ${existsIn(unit, (table) => `${isSameRow(unit, table)} and ${allEqual(unit, table)}`)} then 'equal'
       when ${existsIn(unit, (table) => isSameRow(unit, table))} then 'differs'
       else 'new'
     end`,
  );
}

/** Puts the chosen rows of the backup into a temporary table, with the columns that a live table has, and compares them. */
export async function stageUnit(session: Session, choice: ChosenRows, plan: UnitPlan, number: number): Promise<Unit> {
  const stage = `pg_temp.aisec_rows_${number}`;
  const live = await TableColumns.of(session, plan.lookIn);
  const backedUp = await TableColumns.of(
    session,
    plan.sources.map((source) => choice.nameOf(source)),
  );
  const columns = live.all.filter(({ name }) => backedUp.all.some((each) => each.name === name));
  const parts = plan.sources.map((source) => {
    const values = columns.map((column) => backedUp.value(choice.nameOf(source), 'scratch', column));
    return `select ${values.join(', ')}, 'new' as aisec_state from ${choice.join(source)}`;
  });
  await session.query(`create table ${stage} as ${parts.join(' union all ')}`);
  await session.query(`analyze ${stage}`);
  const unit: Unit = {
    ...plan,
    stage,
    columns,
    live,
    lostColumns: backedUp.all.map(({ name }) => name).filter((name) => !columns.some((each) => each.name === name)),
  };
  await compareStage(session, unit);
  return unit;
}

export type RowState = 'new' | 'equal' | 'differs' | 'kept';

export async function countStates(session: Session, { stage }: Unit): Promise<Readonly<Record<RowState, number>>> {
  const { rows } = await session.query<{ state: RowState; rows: string }>(
    `select aisec_state as state, pg_catalog.count(*) as rows from ${stage} group by 1`,
  );
  const counts = new Map(rows.map((row) => [row.state, Number(row.rows)]));
  return {
    new: counts.get('new') ?? 0,
    equal: counts.get('equal') ?? 0,
    differs: counts.get('differs') ?? 0,
    kept: counts.get('kept') ?? 0,
  };
}
