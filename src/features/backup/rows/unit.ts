import type { TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';

export interface RowColumn {
  readonly name: string;
  readonly isKey: boolean;
  readonly isNullable: boolean;
  readonly sequence: string | null;
}

/** A table of the live database with its rows of the backup. Messages, live and archived, are one: a month may have moved. */
export interface Unit {
  readonly key: TableKey;
  /** As SQL: where rows may be already. */
  readonly lookIn: readonly string[];
  /** As SQL: where rows go, in this order, with the condition on `staged`. */
  readonly targets: readonly { readonly table: string; readonly condition: string }[];
  /** As SQL: the temporary table of its rows, with their state. */
  readonly stage: string;
  /** Those that both have. */
  readonly columns: readonly RowColumn[];
  /** Of the backup, and not of the live table. */
  readonly lostColumns: readonly string[];
}

export interface UnitPlan {
  readonly key: TableKey;
  /** The tables of the backup that its rows come from. */
  readonly sources: readonly TableKey[];
  readonly lookIn: readonly string[];
  readonly targets: Unit['targets'];
}

interface ColumnRow {
  readonly name: string;
  readonly is_key: boolean;
  readonly is_nullable: boolean;
  readonly sequence: string | null;
}

async function columnsOf(session: Session, table: string): Promise<readonly RowColumn[]> {
  const { rows } = await session.query<ColumnRow>(sqlFile('backup/row-columns'), [table]);
  return rows.map(({ name, is_key: isKey, is_nullable: isNullable, sequence }) => ({
    name,
    isKey,
    isNullable,
    sequence,
  }));
}

/** Texts, since not every type has an equality. */
function allEqual({ columns }: Pick<Unit, 'columns'>): string {
  return columns
    .map(({ name }) => quoteIdentifier(name))
    .map((name) => `live.${name}::text is not distinct from staged.${name}::text`)
    .join(' and ');
}

/** The same row, by the primary key; of a table without one, by all of it. */
export function isSameRow(unit: Pick<Unit, 'columns'>): string {
  const keys = unit.columns.filter(({ isKey }) => isKey).map(({ name }) => quoteIdentifier(name));
  if (keys.length === 0) return allEqual(unit);
  return keys.map((name) => `live.${name} = staged.${name}`).join(' and ');
}

function existsIn({ lookIn }: Unit, condition: string): string {
  return `(${lookIn.map((table) => `exists (select from ${table} as live where ${condition})`).join(' or ')})`;
}

/** Of equal rows as many are there as are found: a table without a primary key may have a row several times. */
async function countEqualRows(session: Session, unit: Unit): Promise<void> {
  const values = unit.columns.map(({ name }) => `${quoteIdentifier(name)}::text`).join(', ');
  const present = unit.lookIn.map(
    (table) => `(select pg_catalog.count(*) from ${table} as live where ${allEqual(unit)})`,
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
  const same = isSameRow(unit);
  await session.query(
    `update ${unit.stage} as staged set aisec_state = case
       when ${existsIn(unit, `${same} and ${allEqual(unit)}`)} then 'equal'
       when ${existsIn(unit, same)} then 'differs'
       else 'new'
     end`,
  );
}

/** Puts the chosen rows of the backup into a temporary table, with the columns that the live table has, and compares them. */
export async function stageUnit(session: Session, choice: ChosenRows, plan: UnitPlan, number: number): Promise<Unit> {
  const stage = `pg_temp.aisec_rows_${number}`;
  const live = await columnsOf(session, plan.key);
  const backedUp = await columnsOf(session, choice.nameOf(plan.sources[0] ?? plan.key));
  const columns = live.filter(({ name }) => backedUp.some((each) => each.name === name));
  const list = columns.map(({ name }) => `scratch.${quoteIdentifier(name)}`).join(', ');
  const parts = plan.sources.map((source) => `select ${list}, 'new' as aisec_state from ${choice.join(source)}`);
  await session.query(`create table ${stage} as ${parts.join(' union all ')}`);
  await session.query(`analyze ${stage}`);
  const unit: Unit = {
    ...plan,
    stage,
    columns,
    lostColumns: backedUp.map(({ name }) => name).filter((name) => !live.some((each) => each.name === name)),
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
