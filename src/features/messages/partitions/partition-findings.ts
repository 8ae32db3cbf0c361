import { quoteIdentifier } from '../../../base/identifier.js';
import type { PartitionFacts, PartitionFinding } from './finding.js';
import { addBoundCheck, addIndex } from './mend.js';
import { qualifiedName, type Partition } from '../partition.js';

/** What one partition lacks of what it has from birth when aisec makes it. */
export function partitionFindings(
  partition: Partition,
  facts: PartitionFacts,
  schema: string,
): readonly PartitionFinding[] {
  const { name } = partition;
  const table = qualifiedName(partition);
  const findings: PartitionFinding[] = [];
  const add = (finding: Omit<PartitionFinding, 'partition'>): void => {
    findings.push({ ...finding, partition: name });
  };
  if (!facts.has_row_security)
    add({
      kind: 'row-security',
      what: `${name} has row level security off`,
      why: "a role with a right on it reads every user's messages",
      mend: `alter table ${table} enable row level security;`,
    });
  if (facts.grantees.length > 0)
    add({
      kind: 'grants',
      what: `${name} has grants to ${facts.grantees.join(', ')}`,
      why: 'a partition read directly passes by the policies of its table',
      mend: `revoke all on table ${table} from ${facts.grantees.map((role) => (role === 'public' ? 'public' : quoteIdentifier(role))).join(', ')};`,
    });
  // Other bounds are a finding of their own, and a CHECK would not survive its mend.
  if (!facts.has_bound_check && partition.month !== null)
    add({
      kind: 'bound-check',
      what: `${name} has no valid CHECK equal to its bounds`,
      why: 'archiving it would scan the whole month while messages is locked',
      mend: addBoundCheck(partition),
    });
  for (const index of facts.missing_indexes)
    add({
      kind: 'missing-index',
      what: `${name} lacks the index ${index.name}`,
      why: 'queries that need it read the whole month',
      mend: addIndex(partition, index, schema),
    });
  for (const index of facts.invalid_indexes)
    add({
      kind: 'invalid-index',
      what: `index ${index} of ${name} is INVALID`,
      why: 'no query uses it and every write pays for it',
      mend: `reindex index concurrently ${qualifiedName({ schema: partition.schema, name: index })};`,
    });
  return findings;
}
