import { isReferring, type ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { tableKey } from '../../../adapters/catalog/references/reference.js';
import { isPassingProblem } from '../../../adapters/postgres/error.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { sleep } from '../../../base/interruption.js';
import { choosePerson } from '../graph/choose-person.js';
import type { Person } from '../graph/find-person.js';
import { displayName, ofRole, type Ownership, type RoledReference } from '../graph/ownership.js';
import { sqlName } from '../graph/read-ownership.js';
import { BatchSize, inBatches } from './batches.js';
import { noteErased, type JournalEntry } from './journal.js';
import { deletionOrder } from './order.js';
import { isOwned, isShareable, othersReferring, ownerReference, type ErasureChoices } from './plan.js';
import type { TableColumns } from './table-columns.js';

export interface Erasure {
  readonly session: Session;
  readonly schema: string;
  readonly ownership: Ownership;
  readonly columns: TableColumns;
  readonly choice: ChosenRows;
  readonly person: Pick<Person, 'id'>;
  readonly choices: ErasureChoices;
  readonly onProgress: (text: string) => void;
}

/** A person who writes on, and months that are archived meanwhile, need another look; not for ever. */
const MOST_ROUNDS = 30;
/** A foreign key that a new row has just taken hold of, and a month that has moved: undefined_table. */
const [FOREIGN_KEY, UNDEFINED_TABLE] = ['23503', '42P01'];
/** Locks of the last transaction are short, or it gives way. */
const FINAL_LOCK_TIMEOUT = '50ms';

/** Columns that can hold text of the person, and may be null. */
function clearedColumns(columns: TableColumns, key: string): readonly string[] {
  return (columns.get(key) ?? [])
    .filter(
      ({ type, isNullable, isKey }) =>
        isNullable && !isKey && /^(text|jsonb?|character varying|character|citext|xml)\b/.test(type),
    )
    .map(({ name }) => name);
}

function setNull(names: readonly string[]): string {
  return names.map((name) => `${quoteIdentifier(name)} = null`).join(', ');
}

/** Gives what others use another owner, or none, as asked. */
async function keepShared(erasure: Erasure): Promise<void> {
  const { session, choice, ownership, columns, schema, choices, person } = erasure;
  if (choices.shared === 'refuse') return;
  const to = choices.shared === 'keep' ? 'null' : `${quoteLiteral(choices.shared.handOverTo)}::uuid`;
  for (const reference of [...ofRole(ownership, 'use'), ...ofRole(ownership, 'clear')]) {
    const parent = tableKey(reference.refersTo);
    const owner = ownerReference(ownership, schema, parent);
    if (owner === undefined || !isShareable(columns, ownership, schema, parent)) continue;
    const column = quoteIdentifier(owner.columns[0] ?? '');
    for (const part of await choice.parts(parent))
      await session.query(
        `update ${sqlName(parent)} as kept set ${column} = ${to}
         where kept.${column} = ${quoteLiteral(person.id)}
           and kept.ctid in (select referred.ctid ${othersReferring(choice, reference, part)})`,
      );
  }
}

/** Takes references to the person's rows away from rows of others, which stay. */
async function releaseOthers({ session, choice, ownership }: Erasure): Promise<void> {
  for (const reference of [
    ...ofRole(ownership, 'use'),
    ...ofRole(ownership, 'clear').filter(({ isArray }) => isArray),
  ]) {
    const [child, parent] = [tableKey(reference), tableKey(reference.refersTo)];
    const [column = ''] = reference.columns.map(quoteIdentifier);
    for (const part of await choice.parts(parent)) {
      const change = reference.isArray
        ? `${column} = pg_catalog.array_remove(other.${column}, referred.${quoteIdentifier(reference.refersTo.columns[0] ?? '')})`
        : setNull(reference.columns);
      if (!reference.isArray && !reference.isNullable) continue;
      for (let changed = 1; changed > 0;)
        changed = (
          await session.query(
            `update ${sqlName(child)} as other set ${change}
             from (select referring.tableoid as aisec_part, referring.ctid as aisec_place, referred.* ${othersReferring(choice, reference, part)} limit 500) as referred
             where other.tableoid = referred.aisec_part and other.ctid = referred.aisec_place
               and ${isReferring(reference, 'other', 'referred')}`,
          )
        ).rowCount;
    }
  }
}

/** A circle of references has no order: they are cleared among the person's own rows, too. */
async function breakCircles(
  { session, choice, ownership, schema, person }: Erasure,
  circular: readonly RoledReference[],
): Promise<void> {
  for (const reference of circular.filter(({ isNullable }) => isNullable)) {
    const key = tableKey(reference);
    for (const part of await choice.parts(key))
      await inBatches(session, choice, key, part, new BatchSize(), async (places) => {
        const { rowCount } = await session.query(
          `update only ${part.name} as victim set ${setNull(reference.columns)}
           where victim.ctid = any($1::tid[]) and victim.${quoteIdentifier(reference.columns[0] ?? '')} is not null
             and ${isOwned(ownership, schema, person.id, key, 'victim')}`,
          [places],
        );
        return rowCount;
      });
  }
}

/** Chooses the person's rows as they are now. */
async function chooseAnew({ choice, ownership, schema, person }: Erasure): Promise<void> {
  await choice.clear();
  await choosePerson(choice, ownership, schema, person, { mentions: false });
}

/** Deletes the person's rows, as they are now. */
async function round(erasure: Erasure): Promise<void> {
  const { session, schema, ownership, columns, choice, person, choices, onProgress } = erasure;
  const order = deletionOrder(ownership, schema);
  await chooseAnew(erasure);
  await keepShared(erasure);
  if (choices.shared !== 'refuse') await chooseAnew(erasure);
  await releaseOthers(erasure);
  if (order.circular.length > 0) {
    await breakCircles(erasure, order.circular);
    // Rows that were changed have other places.
    await chooseAnew(erasure);
  }
  const size = new BatchSize();
  for (const key of order.tables) {
    const isKept = choices.anonymise.includes(key);
    const owned = isOwned(ownership, schema, person.id, key, 'victim');
    const names = [
      ...ofRole(ownership, 'own')
        .filter((each) => tableKey(each) === key)
        .flatMap((each) => each.columns),
      ...clearedColumns(columns, key),
    ];
    // The newest month first: replies go before what they answer, which then changes none of them.
    for (const part of (await choice.parts(key)).toReversed()) {
      const condition = `victim.ctid = any($1::tid[]) and ${owned}`;
      const sql = isKept
        ? `update only ${part.name} as victim set ${setNull([...new Set(names)])} where ${condition}`
        : `delete from only ${part.name} as victim where ${condition}`;
      let done = 0;
      await inBatches(session, choice, key, part, size, async (places) => {
        const { rowCount } = await session.query(sql, [places]);
        done += rowCount;
        onProgress(
          `${isKept ? 'anonymising' : 'deleting'} ${displayName(key)}: ${done} of ${part.rows} rows in ${part.name}`,
        );
        return rowCount;
      });
    }
  }
}

/** Whether a row refers to the person still; every other row of theirs is gone, so only these can be new. */
async function hasRows({ session, ownership, schema, person }: Erasure): Promise<boolean> {
  for (const reference of ofRole(ownership, 'own').filter(
    (each) => tableKey(each.refersTo) === `${schema} users` && tableKey(each) !== `${schema} users`,
  )) {
    const { rows } = await session.query<{ exists: boolean }>(
      `select exists (
         select from ${sqlName(`${schema} users`)} as referred
         join ${sqlName(tableKey(reference))} as referring on ${isReferring(reference)}
         where referred.id = ${quoteLiteral(person.id)}
       ) as exists`,
    );
    if (rows[0]?.exists === true) return true;
  }
  return false;
}

/** Deletes the row of users when nothing refers to it; false when something does. New rows wait for it, and are refused then. */
async function deleteUser(erasure: Erasure, entry: JournalEntry): Promise<boolean> {
  const { session, person } = erasure;
  return withTransaction(session, async () => {
    await session.query(`set local lock_timeout = '${FINAL_LOCK_TIMEOUT}'`);
    await session.query('select from users where id = $1 for update', [person.id]);
    if (await hasRows(erasure)) return false;
    await session.query('delete from users where id = $1', [person.id]);
    await noteErased(session, entry);
    return true;
  });
}

function isWorthAnotherRound({ sqlState }: AisecError): boolean {
  return sqlState === FOREIGN_KEY || sqlState === UNDEFINED_TABLE || isPassingProblem(sqlState);
}

/**
 * Deletes the person's rows, batch by batch, and their row of users last. It looks again until nothing is left: rows that
 * the person writes meanwhile, months that are moved, rows that others begin to use. Killed between any two batches and
 * begun again it continues, since what is left is found anew.
 *
 * @throws AisecError the last one that stood in the way, when it does not get done.
 */
export async function eraseRows(erasure: Erasure, entry: JournalEntry): Promise<void> {
  const { session, onProgress } = erasure;
  // Plans must not depend on statistics: a scan of all months for each batch would never end.
  await session.query('set enable_seqscan = off; set jit = off');
  let problem = new AisecError('LOCK_TIMEOUT', 'rows of the person keep coming', {
    detail: `New ones were found ${MOST_ROUNDS} times.`,
    hint: 'End what writes for the person, and run it again: it continues.',
  });
  try {
    for (let count = 0; count < MOST_ROUNDS; count += 1) {
      try {
        await round(erasure);
        onProgress('deleting the user');
        if (await deleteUser(erasure, entry)) return;
      } catch (error) {
        if (!isAisecError(error) || !isWorthAnotherRound(error)) throw error;
        problem = error;
        await sleep(50 * (count + 1), session.signal);
      }
    }
  } finally {
    if (!session.isLost) await session.cleanUp('reset enable_seqscan; reset jit');
  }
  throw problem;
}
