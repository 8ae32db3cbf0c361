import { aisecCommand } from '../../../base/package/aisec-command.js';
import type { PublicationProblem } from '../publications.js';
import { hasLeftovers, type Leftovers } from './drain/leftovers.js';
import type { PartitionProblem } from './finding.js';

interface Left {
  readonly schema: string;
  readonly leftovers: Leftovers;
  readonly drained: readonly string[];
}

/** Publications that commands refuse, and what drains have left. Looks at nothing but its arguments. */
export function maintenanceFindings(
  publications: readonly PublicationProblem[],
  { schema, leftovers, drained }: Left,
): readonly PartitionProblem[] {
  const fix = aisecCommand('partitions ensure', schema);
  const problems: PartitionProblem[] = publications.map(({ publication, message, impact, fix: statement }) => ({
    kind: 'publication',
    partition: publication,
    message,
    impact: `${impact}, so the commands that would do it refuse`,
    fix: statement,
  }));
  if (hasLeftovers(leftovers))
    problems.push({
      kind: 'drain-leftovers',
      partition: null,
      message: `a run of partitions ensure that was ended has left ${[...leftovers.tables, ...leftovers.functions].join(', ')}`,
      impact:
        leftovers.mirrored.length > 0
          ? 'each change of the default partition is made twice until they are dropped'
          : 'they take disk space until they are dropped',
      fix,
    });
  for (const table of drained)
    problems.push({
      kind: 'drained-table',
      partition: table,
      message: `${table} keeps the rows of a drained default partition`,
      impact: 'it takes disk space until the next run has compared it with messages once more',
      fix,
    });
  return problems;
}
