import type { PartitionCheck } from '../../../features/messages/partitions/checks.js';
import { defineCommand } from '../../command.js';
import type { Context } from '../../context.js';
import type { ExitCode } from '../../exit-codes.js';
import { findingsText } from '../../terminal/findings.js';
import type { Renderer } from '../../terminal/output.js';
import { aheadOption } from './ahead-option.js';

interface Options {
  readonly minAhead: number;
}

function renderCheck({ findings }: PartitionCheck, { table, paint, isTTY }: Renderer): string {
  if (findings.length === 0) return '';
  if (isTTY) return findingsText(findings, paint);
  return table(findings, [
    { title: 'finding', value: (row) => row.kind },
    { title: 'partition', value: (row) => row.partition ?? '' },
    { title: 'what', value: (row) => row.what },
    { title: 'why', value: (row) => row.why },
    { title: 'mend', value: (row) => row.mend },
  ]);
}

function summary({ database, findings, monthsAhead, defaultRows }: PartitionCheck): string {
  const ahead = `${Math.max(0, monthsAhead)} ${monthsAhead === 1 ? 'month' : 'months'} ahead`;
  const rows = `${defaultRows} ${defaultRows === 1 ? 'row' : 'rows'} in the default partition`;
  const verdict = findings.length === 1 ? '1 finding' : `${findings.length === 0 ? 'no' : findings.length} findings`;
  return `${database}: ${verdict}; ${ahead}, ${rows}.`;
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const { config, output } = context;
  const check = await context.withDatabase({ statementTimeoutMs: 60_000 }, async (session) => {
    const { checkPartitions } = await import('../../../features/messages/partitions/checks.js');
    return checkPartitions(session, config.schema, options.minAhead);
  });
  output.result(check, renderCheck);
  output.note(summary(check));
  return check.isHealthy ? undefined : 3;
}

export const partitionsCheck = defineCommand<Options>({
  name: 'partitions check',
  summary: 'tell whether every month is there, whole and protected',
  description:
    'Reads only and exits 3 when there are too few months ahead, gaps, overlaps or bounds that are no month, rows in the default partition, a detach ' +
    'that was never finished, or a partition without row level security, with grants, without its CHECK or an index. Each finding comes with what mends it.',
  options: [
    {
      flags: '--min-ahead <n>',
      description: 'months after the current one that must be there, 0 to 120',
      default: '2',
      parse: aheadOption,
    },
  ],
  examples: [
    ['aisec partitions check', 'Show what is wrong and the SQL that mends it'],
    ['aisec partitions check --min-ahead 1 --quiet', 'For monitoring: exit 3 when something is wrong'],
  ],
  run,
});
