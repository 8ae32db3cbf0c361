import { countText } from '../../../base/count.js';
import type { BaselineResult } from '../../../features/migrate/baseline/baseline.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { WAIT_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import { countDrift, renderDrift } from './drift-text.js';
import { REPLAY_ON_SERVER_OPTION, replayOnServer, replaySettings } from './settings.js';

interface Options {
  readonly dryRun: boolean;
  readonly server: boolean;
  readonly wait: number;
}

function summary({ database, isMatching, isDryRun, recorded, findings }: BaselineResult): string {
  if (!isMatching) return `${database}: ${countDrift(findings)}; nothing was recorded.`;
  if (recorded.length === 0) return `${database}: nothing to do, every migration is recorded.`;
  const migrations = countText(recorded.length, 'migration');
  return isDryRun
    ? `${database}: it is what the migrations make; dry run, ${migrations} would be recorded.`
    : `${database}: it is what the migrations make; ${migrations} recorded up to ${recorded.at(-1) ?? ''}.`;
}

function isUnpartitioned({ findings }: BaselineResult): boolean {
  return findings.some(({ differences }) =>
    differences.some(({ object, property }) => object === 'messages' && property === 'partitionKey'),
  );
}

async function run(context: Context, options: Options, to: string): Promise<ExitCode | undefined> {
  const settings = {
    ...(await replaySettings(context)),
    to: to === '' ? undefined : to,
    isDryRun: options.dryRun,
    waitMs: options.wait,
  };
  if (options.server) await context.serverAccess();
  const result = await context.withDatabase({}, async (session) => {
    const { migrateBaseline: baseline } = await import('../../../features/migrate/baseline/baseline.js');
    const place = options.server ? await replayOnServer(context, session) : {};
    return baseline(session, { ...settings, ...place }, reportingTo(context));
  });
  context.output.result(result, ({ findings }, renderer) => renderDrift(findings, renderer));
  context.output.note(summary(result));
  if (!result.isMatching)
    context.output.note(
      isUnpartitioned(result)
        ? 'This brings it to the schema of the migrations, beside live traffic: aisec migrate adopt --dry-run'
        : 'Run the fixes, then: aisec migrate baseline',
    );
  else if (result.recorded.length > 0 && !result.isDryRun) context.output.note('Next: aisec migrate up');
  return result.isMatching ? undefined : 3;
}

export const migrateBaseline = defineCommand<Options>({
  name: 'migrate baseline',
  summary: 'record migrations as applied in a database that has what they make',
  description:
    'For a database that was built without aisec, or whose history was lost: compares its catalog with a replay of the migrations up to <name> (default: all) and records them as ' +
    'applied when both are the same. Otherwise nothing is changed, each difference is listed with the SQL that fixes it, and it exits 3. Objects beside those of the migrations do not matter.',
  argument: { syntax: '[name]', description: 'the last migration that the database has' },
  options: [{ flags: '--dry-run', description: 'compare, and record nothing' }, REPLAY_ON_SERVER_OPTION, WAIT_OPTION],
  examples: [
    ['aisec migrate baseline --dry-run', 'See whether the database is what the migrations make'],
    ['aisec migrate baseline 0042_add_invoices', 'Record the migrations up to this one'],
  ],
  run,
});
