import { displayName, tableIn, type TableKey } from '../../../adapters/catalog/references/reference.js';
import { LockBudget } from '../../../adapters/postgres/locks/lock-budget.js';
import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { parseTableName } from '../../../base/table-name.js';
import type { Reporting } from '../../../base/reporting.js';
import { readColumns } from '../export/columns.js';
import { choosePerson, prepareChoice } from '../graph/choose-person.js';
import type { Ownership } from '../graph/ownership.js';
import { readOwnership, requireAllRows, tablesOf } from '../graph/read-ownership.js';
import { planErasure, type ErasurePlan } from './plan.js';
import type { Erasure } from './rounds.js';

interface Waiting extends Pick<Reporting, 'onProgress'> {
  /** How long it may wait for rows that others have locked, in all. */
  readonly maxWaitMs: number;
  /** As in `Erasure`. */
  readonly onBatch?: ((rows: number) => void) | undefined;
}

/** What every erasure in a database has in common. */
export type Preparation = Omit<Erasure, 'person' | 'choices'>;

/** Reads whose rows are whose. @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING. */
export async function prepareErasures(
  session: Session,
  schema: string,
  { maxWaitMs, onProgress, onBatch = () => undefined }: Waiting,
): Promise<Preparation> {
  const ownership = await readOwnership(session, schema);
  const keys = tablesOf(ownership);
  await requireAllRows(session, keys, 'select and delete');
  return {
    session,
    schema,
    ownership,
    columns: await readColumns(session, keys),
    choice: await prepareChoice(session, ownership),
    budget: new LockBudget(maxWaitMs),
    onProgress,
    onBatch,
  };
}

/** What was named with or without schema. @throws AisecError USAGE for what has no rows of a user. */
export function tablesNamed(ownership: Ownership, schema: string, names: readonly string[]): readonly TableKey[] {
  return names.map((name) => {
    const given = parseTableName(name);
    const key = given === undefined ? undefined : tableIn(given.schema ?? schema, given.name);
    if (key !== undefined && ownership.tables.includes(key)) return key;
    throw new AisecError('USAGE', `${key === undefined ? name : displayName(key)} is no table with rows of a user`, {
      hint: 'See them with --dry-run.',
    });
  });
}

/** What the erasure would do, in one MVCC snapshot. */
export async function planFor(erasure: Erasure): Promise<ErasurePlan> {
  const { session, schema, ownership, columns, choice, person, choices } = erasure;
  await choice.clear();
  await session.query('begin isolation level repeatable read, read only; set local jit = off');
  try {
    await choosePerson(choice, ownership, schema, person, { mentions: false });
    return await planErasure(session, choice, ownership, columns, schema, choices);
  } finally {
    // What was chosen in temporary tables is taken back, too.
    await rollBack(session);
    await choice.clear();
  }
}
