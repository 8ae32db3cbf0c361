import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import type { PartitionFacts, PartitionProblem } from './finding.js';
import { addBoundCheck, addIndex } from './fixes.js';
import { qualifiedName, type Partition, type PartitionSet } from '../partition.js';

const TRIGGERS_IMPACT =
  'message_keys does not follow its messages; once they fire again, see: aisec partitions check --keys';

/** Triggers of messages and messages_archive themselves; a statement on the table fires those and no partition's. */
export function rootTriggerFindings(
  { partitions }: PartitionSet,
  facts: readonly PartitionFacts[],
  schema: string,
): readonly PartitionProblem[] {
  return (['messages', 'messages_archive'] as const).flatMap((root) => {
    const name = partitions.find((one) => one.root === root)?.name;
    const wrong = facts.find(({ partition }) => partition === name)?.wrong_root_triggers ?? [];
    if (wrong.length === 0) return [];
    const table = qualifiedName({ schema, name: root });
    return {
      kind: 'triggers' as const,
      partition: root,
      message: `${root} has triggers that are not enabled as they should be: ${wrong.map((one) => one.name).join(', ')}`,
      impact: TRIGGERS_IMPACT,
      fix: wrong.map((one) => `alter table ${table} ${one.enable} trigger ${quoteIdentifier(one.name)};`).join(' '),
    };
  });
}

/** The statements that give a partition its triggers back. */
function fixTriggers(table: string, { wrong_triggers: wrong }: PartitionFacts, schema: string): string {
  const enables = wrong.filter(({ is_missing: isMissing }) => !isMissing);
  return [
    ...(wrong.some(({ is_missing: isMissing }) => isMissing)
      ? [`select ${quoteIdentifier(schema)}.aisec_watch_messages(${quoteLiteral(table)});`]
      : []),
    ...enables.map(({ name, enable }) => `alter table ${table} ${enable} trigger ${quoteIdentifier(name)};`),
  ].join(' ');
}

/** What one partition lacks of what it has from birth when aisec makes it. */
export function partitionFindings(
  partition: Partition,
  facts: PartitionFacts,
  schema: string,
): readonly PartitionProblem[] {
  const { name } = partition;
  const table = qualifiedName(partition);
  const findings: PartitionProblem[] = [];
  const add = (finding: Omit<PartitionProblem, 'partition'>): void => {
    findings.push({ ...finding, partition: name });
  };
  if (!facts.has_row_security)
    add({
      kind: 'row-security',
      message: `${name} has row-level security off`,
      impact: "a role with a privilege on it reads every user's messages",
      fix: `alter table ${table} enable row level security;`,
    });
  if (facts.grantees.length > 0)
    add({
      kind: 'grants',
      message: `${name} has grants to ${facts.grantees.join(', ')}`,
      impact: 'reading a partition directly bypasses the policies of its table',
      fix: `revoke all on table ${table} from ${facts.grantees.map((role) => (role === 'public' ? 'public' : quoteIdentifier(role))).join(', ')};`,
    });
  // Other bounds are a finding of their own, and a CHECK would not survive its fix.
  if (!facts.has_bound_check && partition.month !== null)
    add({
      kind: 'bound-check',
      message: `${name} has no valid CHECK equal to its bounds`,
      impact: 'archiving it would scan the whole month while messages is locked',
      fix: addBoundCheck(partition),
    });
  for (const index of facts.missing_indexes)
    add({
      kind: 'missing-index',
      message: `${name} lacks the index ${index.name}`,
      impact: 'queries that need it read the whole month',
      fix: addIndex(partition, index, schema),
    });
  for (const index of facts.invalid_indexes)
    add({
      kind: 'invalid-index',
      message: `index ${index} of ${name} is INVALID`,
      impact: 'no query uses it and every write pays for it',
      fix: `reindex index concurrently ${qualifiedName({ schema: partition.schema, name: index })};`,
    });
  if (facts.owner !== facts.root_owner)
    add({
      kind: 'owner',
      message: `${name} is owned by ${facts.owner}, ${partition.root} by ${facts.root_owner}`,
      impact: 'the owner of the table cannot archive or drop it, and the owner of the partition bypasses the policies',
      fix: `alter table ${table} owner to ${quoteIdentifier(facts.root_owner)};`,
    });
  // Other bounds are a finding of their own, and their fix drops the partition.
  if (facts.wrong_triggers.length > 0 && (partition.isDefault || partition.month !== null))
    add({
      kind: 'triggers',
      message: `${name} has triggers that are missing or not enabled as they should be: ${facts.wrong_triggers.map((one) => one.name).join(', ')}`,
      impact: TRIGGERS_IMPACT,
      fix: fixTriggers(table, facts, schema),
    });
  return findings;
}
