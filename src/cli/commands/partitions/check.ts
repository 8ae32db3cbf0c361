import { WANTED_MONTHS_AHEAD } from '../../../base/month.js';
import { countText } from '../../../base/count.js';
import type { PartitionCheck } from '../../../features/messages/partitions/checks.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { renderFindings } from '../../terminal/findings.js';
import { aheadOption } from './ahead-option.js';

interface Options {
  readonly minAhead: number;
  readonly keys: boolean;
}

function summary({ database, findings, monthsAhead, defaultRows }: PartitionCheck): string {
  const ahead = `${Math.max(0, monthsAhead)} ${monthsAhead === 1 ? 'month' : 'months'} ahead`;
  const rows = `${countText(defaultRows, 'row')} in the default partition`;
  const verdict = findings.length === 0 ? 'no findings' : countText(findings.length, 'finding');
  return `${database}: ${verdict}; ${ahead}, ${rows}.`;
}

function acrossText({ findings }: PartitionCheck): string {
  return findings.length === 0 ? 'no findings' : countText(findings.length, 'finding');
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const { config, output, progress } = context;
  const check = await context.withDatabase(options.keys ? {} : { statementTimeoutMs: 60_000 }, async (session) => {
    const { checkPartitions } = await import('../../../features/messages/partitions/checks.js');
    return checkPartitions(
      session,
      { schema: config.schema, minAhead: options.minAhead, withKeys: options.keys },
      progress.report,
    );
  });
  output.result(check, renderFindings);
  output.note(summary(check));
  return check.isHealthy ? undefined : 3;
}

export const partitionsCheck = defineCommand<Options>({
  name: 'partitions check',
  summary: 'check that every month has its partition, complete and protected',
  description:
    'Reads only and exits 3 when there are too few months ahead, gaps, overlaps or bounds other than a month, rows in the default partition, a detach ' +
    'that was not finished, publications whose subscribers would miss messages, leftovers of an ended run, or a partition without row-level security, its CHECK, ' +
    'an index, its owner or its triggers, or with grants. --keys compares every message with message_keys as well, at any size, in bounded memory. Each finding comes with its fix.',
  options: [
    {
      flags: '--min-ahead <n>',
      description: 'months after the current one that must be there, 0 to 120',
      default: String(WANTED_MONTHS_AHEAD),
      parse: aheadOption,
    },
    { flags: '--keys', description: 'compare every message with its key; reads all messages' },
  ],
  acrossSchemas: acrossText,
  examples: [
    ['aisec partitions check', 'Show what is wrong and the SQL that fixes it'],
    ['aisec partitions check --keys', 'Find messages without a key, keys without one, ids that exist twice'],
    ['aisec partitions check --min-ahead 1 --quiet', 'For monitoring: exit 3 when something is wrong'],
  ],
  isPaged: true,
  run,
});
