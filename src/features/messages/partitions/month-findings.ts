import { missingMonths } from '../missing-months.js';
import { countMonthsAhead } from '../months-ahead.js';
import { coversAnyOf, defaultPartitionOf, qualifiedName, type Partition, type PartitionSet } from '../partition.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { addMonths, formatMonths, type Month } from '../../../base/month.js';
import type { DefaultRows } from './default-rows.js';
import type { PartitionFacts, PartitionProblem } from './finding.js';
import { archiveLateRows, dissolve, finalizeAndAttach } from './fixes.js';

const COMMAND_AHEAD = 3;

/** Too few months ahead, and months that are missing between others. */
export function missingMonthFindings(set: PartitionSet, minAhead: number, schema: string): readonly PartitionProblem[] {
  const findings: PartitionProblem[] = [];
  const monthsAhead = countMonthsAhead(set);
  const ahead = minAhead > COMMAND_AHEAD ? ` --ahead ${minAhead}` : '';
  const fix = aisecCommand(`partitions ensure${ahead}`, schema);
  if (monthsAhead < minAhead) {
    const first = addMonths(set.currentMonth, monthsAhead + 1);
    const message =
      monthsAhead < 0
        ? `the current month ${set.currentMonth} has no partition`
        : `messages has partitions for ${monthsAhead} months ahead, ${minAhead} are wanted`;
    const impact = `messages from ${first} on would pile up in the default partition`;
    findings.push({ kind: 'months-ahead', partition: null, message, impact, fix });
  }
  for (const [first, last] of missingMonths(set.partitions, []))
    findings.push({
      kind: 'gap',
      partition: null,
      message: `no partition covers ${formatMonths(first, last)}, between months that have one`,
      impact: 'rows of those months go to the default partition',
      fix: aisecCommand('partitions ensure', schema),
    });
  return findings;
}

/** Two partitions of different tables that share a part of a month, other than the same whole month (a half-archived one). */
function overlapFindings(
  partitions: readonly Partition[],
  dissolveOdd: (partition: Partition) => string,
): readonly PartitionProblem[] {
  const months = (one: Partition): readonly Month[] => (one.month === null ? [] : [one.month]);
  const isFinite = ({ lowerBound, upperBound }: Partition): boolean => lowerBound !== null && upperBound !== null;
  const intersects = (a: Partition, b: Partition): boolean =>
    months(b).some((month) => coversAnyOf(a, month)) ||
    months(a).some((month) => coversAnyOf(b, month)) ||
    (a.month === null &&
      b.month === null &&
      (a.lowerBound ?? '') < (b.upperBound ?? '') &&
      (b.lowerBound ?? '') < (a.upperBound ?? ''));
  const live = partitions.filter((partition) => partition.root === 'messages' && isFinite(partition));
  const archived = partitions.filter((partition) => partition.root === 'messages_archive' && isFinite(partition));
  return live.flatMap((one) =>
    archived
      .filter((other) => (one.month === null || one.month !== other.month) && intersects(one, other))
      .map((other) => ({
        kind: 'overlap' as const,
        partition: one.name,
        message: `${one.name} and ${other.name} of messages_archive cover a part of the same month`,
        impact: 'neither can move to the other table any more',
        fix: dissolveOdd(one.month === null ? one : other),
      })),
  );
}

/** Bounds that are not a calendar month, overlaps, and detaches that were never finished. */
export function boundFindings(
  { partitions }: PartitionSet,
  facts: readonly PartitionFacts[],
  schema: string,
): readonly PartitionProblem[] {
  const columnsOf = (partition: Partition): readonly string[] =>
    facts.find((row) => row.partition === partition.name && row.partition_schema === partition.schema)?.columns ?? [];
  const dissolveOdd = (partition: Partition): string => dissolve(partition, columnsOf(partition), schema);
  const pending = partitions.filter(({ isDetachPending }) => isDetachPending);
  const attached = partitions.filter(({ isDetachPending }) => !isDetachPending);
  const odd = attached.filter(({ isDefault, month }) => !isDefault && month === null);
  return [
    ...pending.map((partition) => ({
      kind: 'detach-pending' as const,
      partition: partition.name,
      message: `a DETACH CONCURRENTLY of ${partition.name} was not finished`,
      impact: 'its rows are in no table, and no other partition can be detached that way',
      fix: finalizeAndAttach(partition, schema),
    })),
    ...odd.map((partition) => ({
      kind: 'odd-bounds' as const,
      partition: partition.name,
      message: `${partition.name} covers ${partition.lowerBound} to ${partition.upperBound}, not a calendar month in UTC`,
      impact: 'it cannot be archived, and the months that it covers in part cannot be made',
      fix: dissolveOdd(partition),
    })),
    ...overlapFindings(attached, dissolveOdd),
  ];
}

function describeRows(counts: readonly (readonly [Month, number])[]): string {
  const shown = counts.slice(0, 5).map(([month, rows]) => `${rows} of ${month}`);
  const more = counts.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and those of ${more} more months` : ''}`;
}

function createDefault(schema: string): string {
  const [messages, table] = ['messages', 'messages_default'].map((name) => qualifiedName({ schema, name }));
  return (
    `create table ${table} partition of ${messages} default; ` +
    `select ${quoteIdentifier(schema)}.aisec_protect_message_partition(${quoteLiteral(messages ?? '')}, ${quoteLiteral(table ?? '')});`
  );
}

/** Rows in the default partition, and the default partition itself. */
export function defaultFindings(
  { currentMonth, partitions }: PartitionSet,
  defaultRows: DefaultRows,
  schema: string,
): readonly PartitionProblem[] {
  const root = defaultPartitionOf({ partitions });
  if (root === undefined) {
    return [
      {
        kind: 'no-default-partition',
        partition: null,
        message: 'messages has no default partition',
        impact: 'a message of a month that was never made is refused',
        fix: createDefault(schema),
      },
    ];
  }
  const findings: PartitionProblem[] = [];
  const isArchived = (month: Month): boolean => {
    const covering = partitions.filter((partition) => coversAnyOf(partition, month));
    return covering.length > 0 && covering.every((partition) => partition.root === 'messages_archive');
  };
  const all = [...defaultRows.byMonth];
  const late = all.filter(([month]) => isArchived(month));
  const [youngest = currentMonth] = late
    .map(([month]) => month)
    .toSorted()
    .toReversed();
  const groups = [
    [
      all.filter(([month]) => !isArchived(month)),
      'making those months must move them first',
      aisecCommand('partitions ensure', schema),
    ],
    [late, 'those months are in the archive already', archiveLateRows(youngest, currentMonth, schema)],
  ] as const;
  for (const [counts, impact, fix] of groups) {
    if (counts.length === 0) continue;
    const message = `${root.name} holds rows: ${describeRows(counts)}`;
    findings.push({ kind: 'default-rows', partition: root.name, message, impact, fix });
  }
  if (defaultRows.undatedRows > 0) {
    const outside = `created_at < '0001-01-01 00:00:00+00' or created_at >= '10000-01-01 00:00:00+00'`;
    findings.push({
      kind: 'undated-rows',
      partition: root.name,
      message: `${root.name} holds ${defaultRows.undatedRows} rows dated outside of the years 1 to 9999`,
      impact: 'no month can hold them',
      fix: `select id, created_at from ${qualifiedName(root)} where ${outside};`,
    });
  }
  return findings;
}
