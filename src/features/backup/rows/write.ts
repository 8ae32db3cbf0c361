import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { tableKey, type Edge } from '../../../adapters/catalog/references/reference.js';
import { compareStage, countStates, isSameRow, type Unit } from './unit.js';

/** Rows before those that refer to them; where tables refer to each other in a circle, in the given order. */
export function inOrder(units: readonly Unit[], parentsOf: (unit: Unit) => readonly Unit[]): readonly Unit[] {
  const done: Unit[] = [];
  const left = [...units];
  while (left.length > 0) {
    const isReady = (unit: Unit): boolean =>
      parentsOf(unit).every((parent) => parent === unit || !left.includes(parent));
    const index = Math.max(0, left.findIndex(isReady));
    done.push(...left.splice(index, 1));
  }
  return done;
}

/** Staged rows that refer to what is neither there nor staged; a row is called `staged`. */
export function danglingCondition(edge: Edge, unit: Unit, parent: Unit | undefined): string {
  const { columns, refersTo } = edge;
  const isSet = columns.map((name) => `staged.${quoteIdentifier(name)} is not null`);
  const equalTo = (place: string): string =>
    columns
      .map(
        (name, index) => `${place}.${quoteIdentifier(refersTo.columns[index] ?? '')} = staged.${quoteIdentifier(name)}`,
      )
      .join(' and ');
  const isThere = `exists (select from ${tableKey(refersTo)} as live where ${equalTo('live')})`;
  const isStaged =
    parent === undefined ? 'false' : `exists (select from ${parent.stage} as referred where ${equalTo('referred')})`;
  return `staged.aisec_state in ('new', 'differs') and ${isSet.join(' and ')} and not ${isThere} and not ${isStaged}`;
}

async function advanceSequences(session: Session, { columns, stage }: Unit): Promise<void> {
  for (const { name, sequence } of columns)
    if (sequence !== null)
      await session.query(
        `select pg_catalog.setval($1::regclass, most)
         from (select pg_catalog.max(${quoteIdentifier(name)}) as most from ${stage}) as staged
         where most > coalesce(pg_catalog.pg_sequence_last_value($1::regclass), 0)`,
        [sequence],
      );
}

/**
 * Writes what is new, and over what differs when `overwrites`. Triggers of the tables do what they do, such as keeping the
 * registry of keys.
 *
 * @throws AisecError RESTORE_FAILED when the database has other rows afterwards than the backup.
 */
export async function writeUnit(
  session: Session,
  unit: Unit,
  { overwrites, isDryRun }: { readonly overwrites: boolean; readonly isDryRun: boolean },
): Promise<void> {
  const columnsIn = (table: string): Unit['columns'] => unit.columns.filter(({ name }) => unit.live.has(table, name));
  for (const { table, condition } of unit.targets) {
    const list = columnsIn(table)
      .map(({ name }) => quoteIdentifier(name))
      .join(', ');
    await session.query(
      `insert into ${table} (${list}) overriding system value
       select ${list} from ${unit.stage} as staged where aisec_state = 'new' and ${condition}`,
    );
  }
  if (overwrites)
    for (const table of unit.lookIn) {
      const others = columnsIn(table).filter(({ isKey }) => !isKey);
      const changes = others.map(({ name }) => quoteIdentifier(name)).map((name) => `${name} = staged.${name}`);
      if (changes.length > 0)
        await session.query(
          `update ${table} as live set ${changes.join(', ')}
           from ${unit.stage} as staged where aisec_state = 'differs' and ${isSameRow(unit, table)}`,
        );
    }
  const { new: wanted } = await countStates(session, unit);
  await session.query(`alter table ${unit.stage} add column aisec_before text`);
  await session.query(`update ${unit.stage} set aisec_before = aisec_state`);
  await compareStage(session, unit);
  const { rows } = await session.query<{ rows: string }>(
    `select pg_catalog.count(*) as rows from ${unit.stage} where aisec_before = 'new' and aisec_state = 'equal'`,
  );
  if (Number(rows[0]?.rows) !== wanted)
    throw new AisecError('RESTORE_FAILED', `${unit.key} has other rows than the backup`, {
      detail: `${wanted} rows were written, and ${Number(rows[0]?.rows)} of them are as they were; a trigger may have changed the others, or the table lacks a column that has their values.`,
      hint: 'No changes were made. Restore the table beside, and copy from there: --table T --as NAME',
    });
  if (!isDryRun) await advanceSequences(session, unit);
}
