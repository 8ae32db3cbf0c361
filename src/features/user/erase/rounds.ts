import { isReferring, type ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { displayName, tableIn, tableKey, type TableKey } from '../../../adapters/catalog/references/reference.js';
import { isPassingProblem } from '../../../adapters/postgres/error.js';
import type { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { sleep } from '../../../base/interruption.js';
import type { TableColumns } from '../export/columns.js';
import { choosePerson } from '../graph/choose-person.js';
import type { Person } from '../graph/find-person.js';
import { ofRole, type Ownership, type RoledReference } from '../graph/ownership.js';
import { BatchSize, inBatches } from './batches.js';
import { deletionOrder } from './order.js';
import { isOwned, isShareable, othersReferring, ownerReference, type ErasureChoices } from './plan.js';
import { retryForRows, withShortWaits } from './row-locks.js';

export interface Erasure {
  readonly session: Session;
  readonly schema: string;
  readonly ownership: Ownership;
  readonly columns: TableColumns;
  readonly choice: ChosenRows;
  readonly person: Pick<Person, 'id'>;
  readonly choices: ErasureChoices;
  /** What it may spend on waiting for rows and tables that others have locked. */
  readonly budget: LockBudget;
  readonly onProgress: (text: string) => void;
  /** Called between two transactions, with the rows that were changed; what it throws leaves the rest to the next run. */
  readonly onBatch: (rows: number) => void;
}

/** A person who writes on needs another look; not for ever. */
const MOST_ROUNDS = 30;
const [PAUSE_MS, LONGEST_PAUSE_MS] = [50, 2000];
/** A foreign key that a new row has just taken hold of, and a month that has moved: undefined_table. */
const [FOREIGN_KEY, UNDEFINED_TABLE] = ['23503', '42P01'];

/** Columns that can hold text of the person, and may be null. */
function clearedColumns(columns: TableColumns, key: TableKey): readonly string[] {
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
    for (const part of await choice.parts(parent)) {
      const sql = `update ${parent} as kept set ${column} = ${to}
         where kept.${column} = ${quoteLiteral(person.id)}
           and kept.ctid in (select referred.ctid ${othersReferring(choice, reference, part)})`;
      await retryForRows(erasure, () => session.query(sql));
    }
  }
}

/** Takes references to the person's rows away from rows of others, which stay. */
async function releaseOthers(erasure: Erasure): Promise<void> {
  const { session, choice, ownership } = erasure;
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
      const sql = `update ${child} as other set ${change}
             from (select referring.tableoid as aisec_part, referring.ctid as aisec_place, referred.* ${othersReferring(choice, reference, part)} limit 500) as referred
             where other.tableoid = referred.aisec_part and other.ctid = referred.aisec_place
               and ${isReferring(reference, 'other', 'referred')}`;
      for (let changed = 1; changed > 0;) changed = (await retryForRows(erasure, () => session.query(sql))).rowCount;
    }
  }
}

/** A circle of references has no order: they are cleared among the person's own rows, too. */
async function breakCircles(erasure: Erasure, circular: readonly RoledReference[]): Promise<void> {
  const { session, choice, ownership, schema, person, onBatch } = erasure;
  for (const reference of circular.filter(({ isNullable }) => isNullable)) {
    const key = tableKey(reference);
    for (const part of await choice.parts(key))
      await inBatches(session, choice, key, part, new BatchSize(), onBatch, async (places, limit) => {
        const sql = `${limit}update only ${part.name} as victim set ${setNull(reference.columns)}
           where victim.ctid = any(${places}) and victim.${quoteIdentifier(reference.columns[0] ?? '')} is not null
             and ${isOwned(ownership, schema, person.id, key, 'victim')}`;
        const { rowCount } = await retryForRows(erasure, () => session.query(sql));
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
  const { session, schema, ownership, columns, choice, person, choices, onProgress, onBatch } = erasure;
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
      const change = isKept
        ? `update only ${part.name} as victim set ${setNull([...new Set(names)])}`
        : `delete from only ${part.name} as victim`;
      let done = 0;
      await inBatches(session, choice, key, part, size, onBatch, async (places, limit) => {
        const sql = `${limit}${change} where victim.ctid = any(${places}) and ${owned}`;
        const { rowCount } = await retryForRows(erasure, () => session.query(sql));
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
    (each) => tableKey(each.refersTo) === tableIn(schema, 'users') && tableKey(each) !== tableIn(schema, 'users'),
  )) {
    const { rows } = await session.query<{ exists: boolean }>(
      `select exists (
         select from ${tableIn(schema, 'users')} as referred
         join ${tableKey(reference)} as referring on ${isReferring(reference)}
         where referred.id = ${quoteLiteral(person.id)}
       ) as exists`,
    );
    if (rows[0]?.exists === true) return true;
  }
  return false;
}

/** Deletes the row of users when nothing refers to it; false when something does. New rows wait for it, and are refused then. */
async function deleteUser(erasure: Erasure, onErased: () => Promise<void>): Promise<boolean> {
  const { session, person } = erasure;
  return withTransaction(session, async () => {
    await session.query('select from users where id = $1 for update', [person.id]);
    if (await hasRows(erasure)) return false;
    await session.query('delete from users where id = $1', [person.id]);
    await onErased();
    return true;
  });
}

function isWorthAnotherRound({ sqlState }: AisecError): boolean {
  return sqlState === FOREIGN_KEY || sqlState === UNDEFINED_TABLE || isPassingProblem(sqlState);
}

function comingRows(): AisecError {
  return new AisecError('LOCK_TIMEOUT', 'rows of the person keep coming', {
    detail: `New ones were found ${MOST_ROUNDS} times.`,
    hint: 'End what writes for the person, and run it again: it continues.',
  });
}

/** Runs rounds until the row of users is deleted. */
async function rounds(erasure: Erasure, onErased: () => Promise<void>): Promise<void> {
  const { session, budget, onProgress } = erasure;
  for (let [attempt, looks] = [1, 1]; ; attempt += 1)
    try {
      await round(erasure);
      onProgress('deleting the user');
      if (await retryForRows(erasure, () => deleteUser(erasure, onErased))) return;
      looks += 1;
      if (looks > MOST_ROUNDS) throw comingRows();
    } catch (error) {
      const pauseMs = Math.min(PAUSE_MS * attempt, LONGEST_PAUSE_MS);
      if (!isAisecError(error) || !isWorthAnotherRound(error) || budget.leftMs < pauseMs) throw error;
      budget.spend(pauseMs);
      await sleep(pauseMs, session.signal);
      erasure.onBatch(0);
    }
}

/**
 * Deletes the person's rows, batch by batch, and their row of users last. It looks again until nothing is left: rows that
 * the person writes meanwhile, months that are moved, rows that others begin to use. Killed between any two batches and
 * begun again it continues, since what is left is found again.
 *
 * @param onErased runs in the transaction that deletes the row of users
 * @throws AisecError the last one that stood in the way, when it does not get done.
 */
export async function eraseRows(erasure: Erasure, onErased: () => Promise<void>): Promise<void> {
  const { session } = erasure;
  // Plans must not depend on statistics: a scan of all months for each batch would never end.
  await session.query('set enable_seqscan = off; set jit = off');
  try {
    await withShortWaits(session, () => rounds(erasure, onErased));
  } finally {
    if (!session.isLost) await session.cleanUp('reset enable_seqscan; reset jit');
  }
}
