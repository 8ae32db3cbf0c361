import { boundedName } from '../../../base/bounded-name.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { monthsBetween, type Month } from '../../../base/month.js';
import { qualifiedName, type Partition } from '../partition.js';
import type { MissingIndex } from './finding.js';

/** The months that a plain `aisec archive` leaves in messages. */
const USUAL_RETENTION_MONTHS = 6;

/** The `aisec archive` that takes late rows to their archived months, the youngest of them included. */
export function archiveLateRows(youngest: Month, currentMonth: Month, schema: string): string {
  const months = monthsBetween(youngest, currentMonth) - 1;
  if (months >= USUAL_RETENTION_MONTHS) return aisecCommand('archive', schema);
  return aisecCommand(`archive --older-than ${months > 0 ? `${months}mo` : '1d'}`, schema);
}

const rootName = ({ root }: Partition, schema: string): string => qualifiedName({ schema, name: root });

function boundsClause({ lowerBound, upperBound }: Partition): string {
  const literal = (bound: string | null, open: string): string =>
    bound === null || bound.endsWith('infinity') ? open : quoteLiteral(bound);
  return `for values from (${literal(lowerBound, 'minvalue')}) to (${literal(upperBound, 'maxvalue')})`;
}

/** Ends the DETACH that was broken off, and attaches the partition again. */
export function finalizeAndAttach(partition: Partition, schema: string): string {
  const root = rootName(partition, schema);
  const name = qualifiedName(partition);
  return (
    // In one transaction: between the two statements the rows are in no table.
    `begin; alter table ${root} detach partition ${name} finalize; ` +
    `alter table ${root} attach partition ${name} ${boundsClause(partition)}; commit;`
  );
}

/** Takes a partition with wrong bounds away; its rows go where they belong, some to the default partition at first. */
export function dissolve(partition: Partition, columns: readonly string[], schema: string): string {
  const name = qualifiedName(partition);
  const list = columns.map(quoteIdentifier).join(', ');
  return (
    `begin; alter table ${rootName(partition, schema)} detach partition ${name}; ` +
    `insert into ${qualifiedName({ schema, name: 'messages' })} (${list}) select ${list} from ${name}; ` +
    `drop table ${name}; commit; then: ${aisecCommand('partitions ensure', schema)}` +
    (partition.root === 'messages_archive' ? `; ${aisecCommand('archive', schema)}` : '')
  );
}

/** The CHECK that a month is made with, added without a scan under a strong lock. */
export function addBoundCheck(partition: Partition): string {
  const name = qualifiedName(partition);
  const { lowerBound, upperBound } = partition;
  const conditions = [
    ...(lowerBound === null || lowerBound === '-infinity' ? [] : [`created_at >= ${quoteLiteral(lowerBound)}`]),
    ...(upperBound === null || upperBound === 'infinity' ? [] : [`created_at < ${quoteLiteral(upperBound)}`]),
  ];
  return (
    `alter table ${name} drop constraint if exists message_month_bounds, ` +
    `add constraint message_month_bounds check (${conditions.join(' and ')}) not valid; ` +
    `alter table ${name} validate constraint message_month_bounds;`
  );
}

/** Builds the part of an index that a partition lacks, and attaches it. */
export function addIndex(partition: Partition, index: MissingIndex, schema: string): string {
  const made = boundedName(`${partition.name}_${index.name.replace(/^idx_messages_(archive_)?/, '')}`, {
    suffix: '_idx',
  });
  return (
    `create ${index.is_unique ? 'unique ' : ''}index concurrently ${quoteIdentifier(made)} on ${qualifiedName(partition)} ${index.method}; ` +
    `alter index ${qualifiedName({ schema, name: index.name })} attach partition ${qualifiedName({ schema: partition.schema, name: made })};`
  );
}
