import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { AdoptResult, PlannedStep } from '../../../features/migrate/adopt/adopt.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { durationOption, lockTimes, WAIT_OPTION, type LockOptions } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import { renderFindings } from '../../terminal/findings.js';
import type { Renderer } from '../../terminal/output.js';
import { replaySettings } from './settings.js';

interface Options extends LockOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
}

function locksText({ locks }: PlannedStep): string {
  const texts = locks.map(({ table, mode, held }) => `${mode} on ${table}${held === 'moment' ? ', a moment' : ''}`);
  return texts.length === 0 ? 'none that others notice' : texts.join('; ');
}

function renderSteps(steps: readonly PlannedStep[], { table }: Renderer, isDryRun: boolean): string {
  return table(steps, [
    { title: 'phase', value: (row) => row.phase },
    { title: 'step', value: (row) => row.what },
    { title: 'locks', value: locksText },
    {
      title: isDryRun ? 'expected' : 'time',
      value: (row) => formatDurationMs(row.durationMs ?? row.expectedMs),
      align: 'right',
    },
  ]);
}

function renderAdopt({ obstacles, steps, isDryRun }: AdoptResult, renderer: Renderer): string {
  if (obstacles.length > 0) return renderFindings({ findings: obstacles }, renderer);
  return steps.length === 0 ? '' : renderSteps(steps, renderer, isDryRun);
}

function summary(result: AdoptResult): string {
  const { database, obstacles, steps, isDryRun, recorded, left } = result;
  const expectedMs = steps.reduce((sum, step) => sum + (step.durationMs ?? step.expectedMs), 0);
  if (obstacles.length > 0) return `${database}: ${countText(obstacles.length, 'obstacle')}; no changes were made.`;
  if (recorded.length === 0) return `${database}: nothing to do, every migration is recorded.`;
  if (isDryRun)
    return `${database}: dry run, ${steps.length} steps of about ${formatDurationMs(expectedMs)} in all; then ${recorded.length} migrations would be recorded.`;
  const own = countText(
    left.length,
    'object or privilege that no migration makes stays',
    'objects or privileges that no migration makes stay',
  );
  const kept = left.length === 0 ? '' : ` ${own}: aisec migrate drift.`;
  return `${database}: ${steps.length} steps in ${formatDurationMs(expectedMs)}, ${recorded.length} migrations recorded.${kept}`;
}

async function confirm(
  context: Context,
  plan: readonly PlannedStep[],
  databaseName: string,
  yes: boolean,
): Promise<void> {
  if (yes) return;
  const expectedMs = plan.reduce((sum, step) => sum + step.expectedMs, 0);
  context.output.note(
    `${plan.length} steps of about ${formatDurationMs(expectedMs)}; each one: aisec migrate adopt --dry-run`,
  );
  await context.prompt.confirmByTyping(
    'The schema of this database becomes that of the migrations. There is no way back but a backup.',
    databaseName,
    'Take a backup, then give --yes.',
  );
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const settings = await replaySettings(context);
  const result = await context.withDatabase(
    { lockTimeoutMs: options.lockTimeout, idleTimeoutMs: 0 },
    async (session) => {
      const { migrateAdopt: adopt } = await import('../../../features/migrate/adopt/adopt.js');
      return adopt(
        session,
        {
          ...settings,
          isDryRun: options.dryRun,
          ...lockTimes(options),
          confirm: (plan) => confirm(context, plan, session.info.databaseName, options.yes),
        },
        reportingTo(context),
      );
    },
  );
  context.output.result(result, renderAdopt);
  context.output.note(summary(result));
  if (result.isAdopted && result.recorded.length > 0) context.output.note('Next: aisec doctor');
  return result.obstacles.length === 0 ? undefined : 3;
}

export const migrateAdopt = defineCommand<Options>({
  name: 'migrate adopt',
  summary: 'bring a database that has the tables already to the schema of the migrations',
  description:
    'For a database with rows and live traffic that was built by hand or by another tool: indexes are built concurrently, constraints validated beside writers, functions, policies and triggers made, ' +
    'message_keys filled, messages partitioned by month, and the migrations recorded. No step holds a lock on rows that writers need for longer than a moment; locks are given up after --lock-timeout and retried. ' +
    'Killed at any moment and run again, it continues. What stands in the way (rows that a constraint refuses, roles that would see no row) is listed first, exit 3, with no changes made. Password hashes, privileges of the application, and its own tables stay.',
  options: [
    { flags: '--dry-run', description: 'show every step, its locks and its expected time; change nothing' },
    { flags: '--yes', description: 'do not ask' },
    {
      flags: '--lock-timeout <duration>',
      description: 'how long a statement may wait for a lock, and each writer behind it',
      default: '100ms',
      parse: durationOption,
    },
    {
      flags: '--max-wait <duration>',
      description: 'how long each step keeps retrying for locks, and waits for older transactions',
      default: '10m',
      parse: durationOption,
    },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec migrate adopt --dry-run', 'See every step, its locks and its expected time'],
    ['aisec migrate adopt', 'Bring the database to the schema of the migrations'],
  ],
  run,
});
