import { quoteIdentifier } from '../../../base/identifier.js';
import type { PartitionFacts, Surroundings } from './facts.js';
import { archivedName, liveName } from './partition-names.js';

/** Something that stands in the way of a move, and the SQL that mends it. */
export interface Fault {
  readonly problem: string;
  readonly mend: string;
}

function addColumn(table: string, name: string, definition: string): string {
  return `alter table ${table} add column ${name} ${definition};`;
}

/** What stands in the way of every month. */
export function generalFaults(surroundings: Surroundings): readonly Fault[] {
  const { roleName, notOwned, rowSecurityOn, foreignKeys, columnFaults } = surroundings;
  const role = quoteIdentifier(roleName);
  const faults: Fault[] = [];
  if (notOwned.length > 0)
    faults.push({
      problem: `role ${role} does not own ${notOwned.join(', ')}`,
      mend: `-- run aisec as the owner, or: grant <owner of ${notOwned[0] ?? ''}> to ${role};`,
    });
  if (rowSecurityOn.length > 0)
    faults.push({
      problem: `row level security hides rows of ${rowSecurityOn.join(', ')} from role ${role}`,
      mend: `alter role ${role} bypassrls;`,
    });
  for (const { table, name, definition } of foreignKeys)
    faults.push({
      problem: `foreign key ${name} of ${table} points at messages (${definition}): its rows would keep the month, or go with it`,
      mend: `alter table ${table} drop constraint ${name}; -- let it refer to message_keys (id) instead`,
    });
  for (const { name, onMessages, onArchive } of columnFaults) {
    if (onArchive === null)
      faults.push({
        problem: `column ${name} of messages is missing on messages_archive`,
        mend: addColumn('messages_archive', name, onMessages ?? ''),
      });
    else if (onMessages === null)
      faults.push({
        problem: `column ${name} of messages_archive is missing on messages`,
        mend: addColumn('messages', name, onArchive),
      });
    else
      faults.push({
        problem: `column ${name} is ${onMessages} on messages and ${onArchive} on messages_archive`,
        mend: `-- make both alike: alter table messages_archive alter column ${name} ...;`,
      });
  }
  return faults;
}

function indexFaults({ relation, indexFaults: faults }: PartitionFacts): readonly Fault[] {
  return faults.map(({ definition, isUnique, brokenIndex }) =>
    brokenIndex === null
      ? {
          problem: `an index is missing on ${relation}:${definition}`,
          mend: `create ${isUnique ? 'unique ' : ''}index concurrently on ${relation}${definition};`,
        }
      : { problem: `index ${brokenIndex} is INVALID`, mend: `reindex index concurrently ${brokenIndex};` },
  );
}

/** What stands in the way of one partition that is exactly a month. `target`: where it shall go. */
export function partitionFaults(
  partition: PartitionFacts,
  target: 'archive' | 'live',
  surroundings: Surroundings,
): readonly Fault[] {
  const { relation, root, month, lowerBound, upperBound } = partition;
  const faults: Fault[] = [];
  if (partition.isDetachPending)
    faults.push({
      problem: `${relation} is being detached from ${root}, or a DETACH CONCURRENTLY of it was cut off: its rows are in neither table`,
      mend:
        `begin; alter table ${root} detach partition ${relation} finalize; ` +
        `alter table ${root} attach partition ${relation} for values from ('${lowerBound ?? ''}') to ('${upperBound ?? ''}'); commit;`,
    });
  if (!partition.isOwned)
    faults.push({
      problem: `role ${quoteIdentifier(surroundings.roleName)} does not own ${relation}`,
      mend: `alter table ${relation} owner to <owner of ${root}>;`,
    });
  const wanted = month === null ? null : target === 'archive' ? archivedName(month) : liveName(month);
  if (wanted !== null && partition.name !== wanted && surroundings.takenNames.includes(wanted))
    faults.push({
      problem: `the name ${wanted} is taken by another relation`,
      mend: `alter table ${wanted} rename to ${wanted}_old;`,
    });
  for (const { name, definition } of partition.missingChecks)
    faults.push({
      problem: `check constraint ${name} is missing on ${relation}`,
      mend: `alter table ${relation} add constraint ${quoteIdentifier(name)} ${definition};`,
    });
  return [...faults, ...indexFaults(partition)];
}

/** A partition of messages that is old enough and no calendar month: it moves by hand only. */
export function oddPartitionFault({ relation, lowerBound, upperBound }: PartitionFacts): Fault {
  const from = lowerBound === '-infinity' || lowerBound === null ? 'minvalue' : `'${lowerBound}'`;
  const to = upperBound === 'infinity' || upperBound === null ? 'maxvalue' : `'${upperBound}'`;
  return {
    problem: `${relation} holds ${from} to ${to}, which is no calendar month in UTC`,
    mend:
      `begin; alter table messages detach partition ${relation}; ` +
      `alter table messages_archive attach partition ${relation} for values from (${from}) to (${to}); commit;`,
  };
}

/** What will happen that nobody may expect. */
export function warningsOf({ publications }: Surroundings): readonly string[] {
  return publications.map(
    (name) =>
      `publication ${quoteIdentifier(name)} has messages: a month leaves it without deletes being sent, and a subscriber keeps its rows`,
  );
}
