import type { Finding } from '../../../base/finding.js';
import { groupBy } from '../../../base/group-by.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { publicationProblems, type Publication } from '../publications.js';
import type { ColumnDifference } from './column-differences.js';
import type { PartitionFacts, Surroundings } from './facts.js';
import { nameIn, type Root } from '../partition.js';

const STAYS = 'the month stays where it is';

function blocking(id: string, object: string, message: string, fix: string | null, impact = STAYS): Finding {
  return { id: `${id}:${object}`, severity: 'critical', object, message, impact, fix };
}

function columnFinding({ name, onMessages, onArchive, addition }: ColumnDifference): Finding {
  const [lacking, other] = onMessages === null ? ['messages', 'messages_archive'] : ['messages_archive', 'messages'];
  const object = `${lacking}.${name}`;
  if (onMessages !== null && onArchive !== null)
    return blocking(
      'column',
      object,
      `column ${name} is ${onMessages} on messages and ${onArchive} on messages_archive`,
      null,
    );
  const fix = addition === null ? null : `alter table ${lacking} add column ${name} ${addition};`;
  return blocking('column', object, `column ${name} of ${other} is missing on ${lacking}`, fix);
}

/** What a subscriber would not receive: every move of messages between the two tables is refused. */
export function publicationFindings({ publications, schemaName }: Surroundings): readonly Finding[] {
  const problems = publicationProblems(publications, schemaName).filter(({ refuses }) => refuses !== 'drain');
  // The first one of a publication is enough: its fix changes what the others are about.
  return [...groupBy(problems, ({ publication }) => publication).values()].flatMap((own) =>
    own
      .slice(0, 1)
      .map(({ kind, publication, message, impact, fix }) =>
        blocking(`publication-${kind}`, publication, message, fix, impact),
      ),
  );
}

/** A dropped partition is not published: a subscriber would keep the messages of a pruned month. */
export function prunePublicationFindings(publications: readonly Publication[]): readonly Finding[] {
  return publications
    .filter((each) => each.publishes_archive && each.publishes_deletes)
    .map(({ publication: name }) =>
      blocking(
        'publication-deletes',
        name,
        `publication ${name} publishes the deletes of messages_archive, and a dropped month is not published`,
        `alter publication ${name} set (publish = 'insert, update');`,
        'a subscriber would keep the messages of the month',
      ),
    );
}

/** What prevents the move of every month. */
export function generalFindings(surroundings: Surroundings): readonly Finding[] {
  const { roleName, notOwned, ownerName, rowSecurityOn, foreignKeys, columnDifferences } = surroundings;
  const role = quoteIdentifier(roleName);
  const findings: Finding[] = [];
  if (notOwned.length > 0)
    findings.push(
      blocking(
        'not-owner',
        notOwned[0] ?? '',
        `role ${role} does not own ${notOwned.join(', ')}`,
        `grant ${quoteIdentifier(ownerName)} to ${role};`,
      ),
    );
  if (rowSecurityOn.length > 0)
    findings.push(
      blocking(
        'rls-on',
        rowSecurityOn[0] ?? '',
        `row-level security hides rows of ${rowSecurityOn.join(', ')} from role ${role}`,
        `alter role ${role} bypassrls;`,
      ),
    );
  for (const { table, name, definition } of foreignKeys)
    findings.push(
      blocking(
        'foreign-key',
        `${table}.${name}`,
        `foreign key ${name} of ${table} points at messages (${definition}), not at message_keys (id)`,
        `alter table ${table} drop constraint ${name};`,
        'its rows would keep the month, or be deleted with it',
      ),
    );
  return [...findings, ...columnDifferences.map(columnFinding), ...publicationFindings(surroundings)];
}

function indexFindings({ relation, indexFaults }: PartitionFacts): readonly Finding[] {
  return indexFaults.map(({ definition, isUnique, brokenIndex }) =>
    brokenIndex === null
      ? blocking(
          'index-missing',
          relation,
          `an index is missing on ${relation}:${definition}`,
          `create ${isUnique ? 'unique ' : ''}index concurrently on ${relation}${definition};`,
        )
      : blocking(
          'index-invalid',
          brokenIndex,
          `index ${brokenIndex} is INVALID`,
          `reindex index concurrently ${brokenIndex};`,
        ),
  );
}

/** What prevents the move of one partition that is exactly a month. `target`: where it is to move. */
export function partitionFindings(
  partition: PartitionFacts,
  target: Root,
  surroundings: Surroundings,
): readonly Finding[] {
  const { relation, root, month, lowerBound, upperBound } = partition;
  const findings: Finding[] = [];
  if (partition.isDetachPending)
    findings.push(
      blocking(
        'detach-pending',
        relation,
        `${relation} is being detached from ${root}, or a DETACH CONCURRENTLY of it was interrupted: its rows are in neither table`,
        `begin; alter table ${root} detach partition ${relation} finalize; ` +
          `alter table ${root} attach partition ${relation} for values from ('${lowerBound ?? ''}') to ('${upperBound ?? ''}'); commit;`,
      ),
    );
  if (!partition.isOwned)
    findings.push(
      blocking(
        'not-owner',
        relation,
        `role ${quoteIdentifier(surroundings.roleName)} does not own ${relation}`,
        `alter table ${relation} owner to ${quoteIdentifier(surroundings.ownerName)};`,
      ),
    );
  const wanted = month === null ? null : nameIn(target, month);
  if (wanted !== null && partition.name !== wanted && surroundings.takenNames.includes(wanted))
    findings.push(
      blocking(
        'name-taken',
        wanted,
        `the name ${wanted} is in use by another relation`,
        `alter table ${wanted} rename to ${wanted}_old;`,
      ),
    );
  for (const { name, definition } of partition.missingChecks)
    findings.push(
      blocking(
        'check-missing',
        relation,
        `check constraint ${name} is missing on ${relation}`,
        `alter table ${relation} add constraint ${quoteIdentifier(name)} ${definition};`,
      ),
    );
  return [...findings, ...indexFindings(partition)];
}

/** A partition of messages that is old enough and not a calendar month: it is moved by hand only. */
export function oddPartitionFinding({ relation, lowerBound, upperBound }: PartitionFacts): Finding {
  const from = lowerBound === '-infinity' || lowerBound === null ? 'minvalue' : `'${lowerBound}'`;
  const to = upperBound === 'infinity' || upperBound === null ? 'maxvalue' : `'${upperBound}'`;
  return blocking(
    'odd-bounds',
    relation,
    `${relation} holds ${from} to ${to}, which is not a calendar month in UTC`,
    `begin; alter table messages detach partition ${relation}; ` +
      `alter table messages_archive attach partition ${relation} for values from (${from}) to (${to}); commit;`,
  );
}
