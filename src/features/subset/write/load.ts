import { copyRows } from '../../../adapters/postgres/copy.js';
import {
  placeOf,
  tableIn,
  tableKey,
  type Reference,
  type TableKey,
} from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { formatCount } from '../../../base/count.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { addMonths, firstDay, gapsBetween, monthRange } from '../../../base/month.js';
import { readPartitions } from '../../messages/index.js';
import type { Masker } from '../mask/masker.js';
import { rowMasker } from '../mask/mask-row.js';
import { readRows } from '../read/read-rows.js';
import { monthsOf, type Slice } from '../read/slice.js';
import { withLoadSettings } from './load-settings.js';

export interface LoadOptions {
  readonly schema: string;
  /** Undefined: rows as they are. */
  readonly masker: Masker | undefined;
  readonly onProgress: (text: string) => void;
}

/** Rows before those that refer to them; where tables refer to each other in a circle, in the given order. */
function inOrder(keys: readonly TableKey[], references: readonly Reference[], schema: string): readonly TableKey[] {
  // Keys of messages are made when all messages are there.
  const holder = (key: TableKey): TableKey =>
    key === tableIn(schema, 'message_keys') ? tableIn(schema, 'messages_archive') : key;
  const done: TableKey[] = [];
  const left = [...keys];
  while (left.length > 0) {
    const waits = (key: TableKey): boolean =>
      references.some((each) => {
        const parent = holder(tableKey(each.refersTo));
        return tableKey(each) === key && parent !== key && left.includes(parent);
      });
    done.push(
      ...left.splice(
        Math.max(
          0,
          left.findIndex((key) => !waits(key)),
        ),
        1,
      ),
    );
  }
  return done;
}

/** Beside the months of messages those that a job makes ahead, and short gaps: a message dated 1970 makes its own month alone. */
const MONTHS_AHEAD = 3;

async function makeMonths(source: Session, target: Session, slice: Slice, schema: string): Promise<void> {
  const inSchema = quoteIdentifier(schema);
  for (const month of await monthsOf(source, slice, tableIn(schema, 'messages_archive')))
    await target.query(`select ${inSchema}.aisec_ensure_archive_month($1)`, [firstDay(month)]);
  const months = await monthsOf(source, slice, tableIn(schema, 'messages'));
  if (months.length === 0) return;
  const { currentMonth } = await readPartitions(target, schema);
  const wanted = [...months, ...monthRange(currentMonth, addMonths(currentMonth, MONTHS_AHEAD))];
  const gaps = gapsBetween(wanted).flatMap(([first, last]) => monthRange(first, last));
  // A month that cannot be made is in the archive, too: its live messages are taken by the default partition.
  await target.query(`select problem from ${inSchema}.aisec_make_message_partitions($1::date[])`, [
    [...new Set([...wanted, ...gaps])].toSorted().map(firstDay),
  ]);
}

async function loadTable(
  source: Session,
  target: Session,
  slice: Slice,
  key: TableKey,
  masker: Masker | undefined,
): Promise<number> {
  const columns = (slice.columnsOf.get(key) ?? []).filter(({ is_generated: isGenerated }) => !isGenerated);
  const into = { ...placeOf(key), columns: columns.map(({ column }) => column) };
  const mask = rowMasker(columns, masker);
  let written = 0;
  for (const part of await slice.choice.parts(key))
    for await (const rows of readRows(source, columns, slice.choice.joinPart(key, part, 'source')))
      written += await copyRows(target, into, rows.map(mask), () => undefined);
  return written;
}

async function advanceSequences(target: Session, slice: Slice, key: TableKey): Promise<void> {
  for (const { column, sequence } of slice.columnsOf.get(key) ?? [])
    if (sequence !== null)
      await target.query(
        `select pg_catalog.setval($1::regclass, most)
         from (select pg_catalog.max(${quoteIdentifier(column)}) as most from ${key}) as loaded
         where most > coalesce(pg_catalog.pg_sequence_last_value($1::regclass), 0)`,
        [sequence],
      );
}

/** The keys of all messages at once: the triggers, which would write them one by one, are off while rows are loaded. */
async function writeMessageKeys(target: Session, schema: string): Promise<void> {
  const inSchema = quoteIdentifier(schema);
  for (const table of ['messages', 'messages_archive'])
    await target.query(
      `insert into ${inSchema}.message_keys (id, created_at, parent_id)
       select id, created_at, parent_id from ${inSchema}.${table}`,
    );
}

/**
 * Writes the slice into empty tables, within a transaction of the target. Foreign keys are checked as ever; triggers of
 * rows do not run, since what they would write is among the rows.
 */
export async function loadSlice(
  source: Session,
  target: Session,
  slice: Slice,
  { schema, masker, onProgress }: LoadOptions,
): Promise<void> {
  await makeMonths(source, target, slice, schema);
  const order = inOrder(slice.keys, slice.references, schema);
  await withLoadSettings(target, { keys: order, references: slice.references, schema }, async () => {
    for (const [index, key] of order.entries()) {
      onProgress(`writing ${key}: ${formatCount(slice.counts.get(key) ?? 0)} rows`);
      await loadTable(source, target, slice, key, masker);
      await advanceSequences(target, slice, key);
      const isLastOfMessages = !order.slice(index + 1).some((other) => isMessages(other, schema));
      if (isMessages(key, schema) && isLastOfMessages) await writeMessageKeys(target, schema);
    }
  });
  for (const key of order) await target.query(`analyze ${key}`);
}

function isMessages(key: TableKey, schema: string): boolean {
  return key === tableIn(schema, 'messages') || key === tableIn(schema, 'messages_archive');
}
