import { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import { readReferences } from '../../../adapters/catalog/references/read-references.js';
import {
  displayName,
  reachable,
  tableIn,
  tableKey,
  type Reference,
  type TableKey,
} from '../../../adapters/catalog/references/reference.js';
import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import { quoteLiteral } from '../../../base/identifier.js';
import type { Month } from '../../../base/month.js';
import { monthsOfRows, platformReferences } from '../../messages/index.js';
import { belongings, withReferred } from './belongs.js';
import { classify, unequalReferences, type ClassedColumn } from './classify.js';
import { readColumns, type Column } from './columns.js';
import type { Finding } from '../../../base/finding.js';

/** Which users: so many by chance, or those that meet a condition. */
export type UsersWanted = { readonly count: number; readonly seed: string } | { readonly condition: string };

export interface SliceOptions {
  /** Of the platform. */
  readonly schema: string;
  readonly wanted: UsersWanted;
  /** Tables that are left out. */
  readonly without: readonly TableKey[];
}

/** Rows of a database that belong together, read in one MVCC snapshot. */
export interface Slice {
  readonly choice: ChosenRows;
  /** Those with rows, message_keys left out: triggers and the load itself make them. */
  readonly keys: readonly TableKey[];
  readonly counts: ReadonlyMap<TableKey, number>;
  /** How many were chosen by the condition. */
  readonly users: number;
  readonly references: readonly Reference[];
  readonly columnsOf: ReadonlyMap<TableKey, readonly ClassedColumn[]>;
  /** Columns that cannot be masked. */
  readonly findings: readonly Finding[];
}

function conditionOf({ wanted, schema }: SliceOptions): string {
  if ('condition' in wanted) return wanted.condition;
  return `id in (
    select id from ${tableIn(schema, 'users')}
    order by pg_catalog.md5(${quoteLiteral(wanted.seed)} || id::text), id
    limit ${wanted.count})`;
}

/** A key leads to its message by the time as well, so that only one month is looked into. */
function upwards(references: readonly Reference[], schema: string): readonly Reference[] {
  return references.map((reference) =>
    tableKey(reference) === tableIn(schema, 'message_keys')
      ? {
          ...reference,
          columns: ['id', 'created_at'],
          refersTo: { ...reference.refersTo, columns: ['id', 'created_at'] },
        }
      : reference,
  );
}

/** The tables to leave out, with those whose rows cannot be without them. @throws AisecError USAGE for one that is not there. */
async function leaveOut(
  session: Session,
  { schema, without }: SliceOptions,
  references: readonly Reference[],
): Promise<ReadonlySet<TableKey>> {
  const there = await readColumns(session, without);
  const unknown = without.find((key) => !there.has(key) || key === tableIn(schema, 'users'));
  if (unknown !== undefined)
    throw new AisecError('USAGE', `invalid table "${displayName(unknown)}", expected one that can be left out`, {
      hint: 'See the tables: aisec subset --users 1 --mask --dry-run',
    });
  const leftOut = new Set(without);
  for (let size = -1; size < leftOut.size;) {
    ({ size } = leftOut);
    for (const each of references)
      if (!each.isNullable && leftOut.has(tableKey(each.refersTo))) leftOut.add(tableKey(each));
  }
  return leftOut;
}

/** References to tables that are left out become null. */
function withoutCut(columns: readonly Column[], cut: readonly Reference[]): readonly Column[] {
  return columns.map((column) => {
    const isCut = cut.some((each) => tableKey(each) === tableKey(column) && each.columns.includes(column.column));
    return isCut && column.is_nullable ? { ...column, isCut } : column;
  });
}

async function countRows(choice: ChosenRows, keys: readonly TableKey[]): Promise<ReadonlyMap<TableKey, number>> {
  const counts = new Map<TableKey, number>();
  for (const key of keys) {
    const rows = await choice.count(key);
    if (rows > 0) counts.set(key, rows);
  }
  return counts;
}

/**
 * Chooses users with all that belongs to them, and what those rows refer to, and runs the callback while the snapshot
 * stands. The session reads only: what is chosen is in temporary tables of its own, and nothing waits for it.
 */
export async function withSlice<Result>(
  session: Session,
  options: SliceOptions,
  onProgress: (text: string) => void,
  use: (slice: Slice) => Promise<Result>,
): Promise<Result> {
  const { schema } = options;
  const start = tableIn(schema, 'users');
  const every = [...(await readReferences(session)), ...platformReferences(schema)];
  const leftOut = await leaveOut(session, options, every);
  const all = every.filter((each) => !leftOut.has(tableKey(each)) && !leftOut.has(tableKey(each.refersTo)));
  const cut = every.filter((each) => !leftOut.has(tableKey(each)) && leftOut.has(tableKey(each.refersTo)));
  const known = await readColumns(session, [...withReferred(reachable(start, all), all)]);
  const down = belongings(all, start, known);
  const keys = [...withReferred(reachable(start, down), all)].filter((key) => known.has(key));
  // Before the transaction, which reads only.
  const choice = await ChosenRows.of(
    session,
    keys.map((key) => ({ key, name: key })),
  );
  await session.query('begin isolation level repeatable read, read only');
  try {
    // Fails where policies would hide rows. Large tables are looked into by their indexes alone, where they have them.
    await session.query('set local row_security = off; set local enable_seqscan = off; set local jit = off');
    onProgress('choosing rows');
    const users = await choice.where(start, conditionOf(options));
    await choice.follow(down);
    await choice.followUp(upwards(all, schema));
    const counts = await countRows(choice, keys);
    const withRows = keys.filter((key) => counts.has(key) && key !== tableIn(schema, 'message_keys'));
    const classed = withRows.map((key) => [key, classify(withoutCut(known.get(key) ?? [], cut))] as const);
    const columnsOf = new Map(classed.map(([key, { columns }]) => [key, columns]));
    return await use({
      choice,
      keys: withRows,
      counts,
      users,
      references: all,
      columnsOf,
      findings: [...classed.flatMap(([, { findings }]) => findings), ...unequalReferences(all, columnsOf)],
    });
  } finally {
    await rollBack(session);
  }
}

/** The months of the chosen messages of a table. */
export async function monthsOf(session: Session, { choice }: Slice, key: TableKey): Promise<readonly Month[]> {
  const months = new Set<Month>();
  if (!choice.has(key)) return [];
  for (const part of await choice.parts(key))
    for (const month of await monthsOfRows(session, choice.joinPart(key, part, 'source'))) months.add(month);
  return [...months].toSorted();
}
