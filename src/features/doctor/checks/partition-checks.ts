import { DAY_MS } from '../../../base/duration.js';
import { listed } from '../../../base/count.js';
import { monthEndMs, WANTED_MONTHS_AHEAD } from '../../../base/month.js';
import {
  checkDefaultPartition,
  judgeLayout,
  readPartitionLayout,
  type FindingKind,
  type PartitionFinding,
  type PartitionLayout,
} from '../../messages/checks.js';
import type { Check, Fault, Severity, Subject } from '../check.js';
import { groupBy } from '../../../base/group-by.js';
import { grantee, qualified } from '../names.js';
import { nameInSql } from '../../../base/identifier.js';

/** Bounds, months and what each partition has; one query takes a lock on each partition with a CHECK. */
export function partitionLayout({ session, schema }: Subject): Promise<PartitionLayout> {
  return readPartitionLayout(session, schema);
}

async function layoutFindings(subject: Subject): Promise<readonly PartitionFinding[]> {
  return judgeLayout(await subject.once(partitionLayout), WANTED_MONTHS_AHEAD);
}

async function defaultFindings(subject: Subject): Promise<readonly PartitionFinding[]> {
  return checkDefaultPartition(subject.session, await subject.once(partitionLayout));
}

/** One finding for all partitions of a table that lack the same: a finding for each of 200 would hide the rest. */
function merge(
  object: string,
  findings: readonly PartitionFinding[],
  { severity, isOfPartitions }: { readonly severity: Severity | undefined; readonly isOfPartitions: boolean },
): readonly Fault[] {
  const [first, ...others] = findings;
  if (first === undefined) return [];
  const distinct = (texts: readonly string[], separator: string): string => [...new Set(texts)].join(separator);
  const names = others.flatMap(({ partition }) => (partition === null ? [] : [nameInSql(partition)]));
  const message =
    isOfPartitions && names.length > 0
      ? `${first.message}; the same holds for ${listed(names)}`
      : distinct(
          findings.map((one) => one.message),
          '; ',
        );
  const impact = isOfPartitions
    ? first.impact
    : distinct(
        findings.map((one) => one.impact),
        '; ',
      );
  const fix = distinct(
    findings.flatMap((one) => (one.fix === null ? [] : [one.fix])),
    '\n',
  );
  return [{ object, message, impact, fix: fix === '' ? null : fix, ...(severity !== undefined && { severity }) }];
}

/** Without a month to go to within a day, rows start to pile up where they do not belong. */
async function monthsSeverity(subject: Subject): Promise<Severity> {
  const { set } = await subject.once(partitionLayout);
  const isNear = monthEndMs(set.currentMonth) - Date.now() < DAY_MS;
  const reached = judgeLayout(await subject.once(partitionLayout), isNear ? 1 : 0);
  return reached.some(({ kind }) => kind === 'months-ahead') ? 'critical' : 'warning';
}

/** Checks by the kind of their findings: all kinds but those that have a check of their own. */
type KindChecks = Readonly<
  Record<
    Exclude<FindingKind, 'grants' | `keys-${string}`>,
    Pick<Check, 'area' | 'severity' | 'title'> & {
      /** Whether the rows of the default partition are counted, which the catalog's readers may not do. */
      readonly isOfRows?: boolean;
    }
  >
>;

/** What a finding is about: one for each publication, and one for all partitions of a table. */
function objectOf({ kind, partition, fix }: PartitionFinding, set: PartitionLayout['set']): string {
  if (kind === 'publication' && partition !== null) return partition;
  const root =
    set.partitions.find(({ name, root: own }) => name === partition || own === partition)?.root ?? 'messages';
  // Rows of months in the archive have a way of their own.
  return `${root}${kind === 'default-rows' && fix?.startsWith('aisec archive') === true ? '/archived' : ''}`;
}

function kindCheck([kind, { isOfRows = false, ...parts }]: [string, KindChecks[keyof KindChecks]]): Check {
  return {
    id: `partition-${kind}`,
    ...parts,
    ...(isOfRows && {
      grant: (schema, role) =>
        `grant usage on schema ${schema} to ${role}; grant select (created_at) on ${schema}.messages_default to ${role}; alter role ${role} bypassrls;`,
    }),
    examine: async (subject) => {
      const { set } = await subject.once(partitionLayout);
      const findings = await subject.once(isOfRows ? defaultFindings : layoutFindings);
      const severity = kind === 'months-ahead' ? await monthsSeverity(subject) : undefined;
      const isOfPartitions = kind !== 'publication' && kind !== 'drained-table';
      const groups = groupBy(
        findings.filter((finding) => finding.kind === kind),
        (finding) => objectOf(finding, set),
      );
      return [...groups].flatMap(([object, group]) => merge(object, group, { severity, isOfPartitions }));
    },
  };
}

async function examineGrants(subject: Subject): Promise<readonly Fault[]> {
  const { set, facts } = await subject.once(partitionLayout);
  const granted = facts.flatMap((row) => {
    const root = set.partitions.find((one) => one.name === row.partition && one.schema === row.partition_schema)?.root;
    return row.grantees.map((role) => ({ role, root: root ?? 'messages', row }));
  });
  const groups = groupBy(granted, ({ root, role }) => `${root}/${nameInSql(role)}`);
  return [...groups].map(([object, group]) => {
    const { role, root } = group[0] ?? { role: '', root: '' };
    const names = group.map(({ row }) => nameInSql(row.partition));
    const tables = group.map(({ row }) => qualified(row.partition_schema, row.partition));
    return {
      object,
      message: `${role} has privileges on ${names.length === 1 ? 'a partition' : `${names.length} partitions`} of ${root}: ${listed(names)}`,
      impact: 'a partition read directly bypasses the policies of its table, and through the table they are not needed',
      fix: `revoke all on table ${tables.join(', ')} from ${grantee(role)};`,
    };
  });
}

const KIND_CHECKS: KindChecks = {
  'row-security': {
    area: 'security',
    severity: 'critical',
    title: 'partitions of messages and messages_archive with row-level security off',
  },
  'months-ahead': {
    area: 'partitions',
    severity: 'warning',
    title: `fewer than ${WANTED_MONTHS_AHEAD} months of messages made ahead; critical when this or tomorrow's month is missing`,
  },
  gap: { area: 'partitions', severity: 'warning', title: 'months missing between others' },
  'odd-bounds': { area: 'partitions', severity: 'warning', title: 'partitions that are not a calendar month in UTC' },
  overlap: { area: 'partitions', severity: 'warning', title: 'months in both messages and messages_archive in part' },
  'detach-pending': { area: 'partitions', severity: 'critical', title: 'a detach that was never finished' },
  'bound-check': { area: 'partitions', severity: 'warning', title: 'partitions without a CHECK equal to their bounds' },
  'missing-index': { area: 'partitions', severity: 'warning', title: 'partitions that lack an index of their table' },
  'invalid-index': { area: 'partitions', severity: 'warning', title: 'INVALID indexes of partitions' },
  'no-default-partition': { area: 'partitions', severity: 'warning', title: 'no default partition' },
  'default-rows': { area: 'partitions', severity: 'warning', title: 'rows in the default partition', isOfRows: true },
  'undated-rows': {
    area: 'partitions',
    severity: 'warning',
    title: 'rows dated outside of the years 1 to 9999',
    isOfRows: true,
  },
  owner: { area: 'partitions', severity: 'warning', title: 'partitions that another role owns than their table' },
  triggers: {
    area: 'partitions',
    severity: 'critical',
    title: 'partitions whose triggers for message_keys are missing or disabled',
  },
  publication: {
    area: 'partitions',
    severity: 'critical',
    title: 'publications whose subscribers would miss messages, so that maintenance refuses',
  },
  'drain-leftovers': {
    area: 'partitions',
    severity: 'warning',
    title: 'what an ended run of partitions ensure has left',
  },
  'drained-table': {
    area: 'partitions',
    severity: 'notice',
    title: 'drained default partitions, which the next partitions ensure drops',
  },
};

export const PARTITION_CHECKS: readonly Check[] = [
  {
    id: 'partition-grants',
    area: 'security',
    severity: 'critical',
    title: 'grants on partitions, which bypass the policies of their table',
    examine: examineGrants,
  },
  ...Object.entries(KIND_CHECKS).map(kindCheck),
];
