import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { isBundled, labelOf } from '../../../features/migrate/files/source.js';
import type { DryRunResult } from '../../../features/migrate/dry-run.js';
import type { UpOptions, UpResult } from '../../../features/migrate/up.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { LOCK_OPTIONS, lockTimes, type LockOptions } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { renderDryRun } from './dry-run-text.js';
import { refuseUnmeantDatabase } from './new-embedded.js';
import { refuseScriptUsage, SCRIPT_OPTIONS, type ScriptOptions } from './script.js';
import { ALLOW_OPTIONS, migrateSettings, planSettings, TO_OPTION, type PlanOptions } from './settings.js';
import { reportingTo } from '../../reporting.js';

interface Options extends LockOptions, PlanOptions, ScriptOptions {
  readonly embedded: boolean;
}

async function upOptions(context: Context, options: Options): Promise<UpOptions> {
  return { ...(await planSettings(context, options)), ...lockTimes(options) };
}

function renderUp(result: UpResult, { table, paint }: Renderer): string {
  if (result.applied.length === 0) return '';
  return table(result.applied, [
    { title: 'applied', value: (row) => paint.green(labelOf(row)) },
    { title: 'time', value: (row) => formatDurationMs(row.durationMs), align: 'right' },
  ]);
}

/** @param madeInMs how long making the embedded database took; undefined when it was there */
function summary(result: UpResult, madeInMs: number | undefined): string {
  const count = result.applied.length;
  const months =
    result.partitions.length === 0
      ? ''
      : ` Months made: ${result.partitions.map((made) => made.month.slice(0, 7)).join(', ')}.`;
  if (count === 0 && result.pending.length === 0)
    return `${result.database}: nothing to do, every migration is applied.${months}`;
  if (count === 0)
    return `${result.database}: nothing to do, the database is at ${result.at ?? 'no migration'} already. ${result.pending.length} still pending.${months}`;
  const left = result.pending.length === 0 ? '' : ` ${result.pending.length} still pending.`;
  const durationMs = result.applied.reduce((sum, migration) => sum + migration.durationMs, 0);
  const made = madeInMs === undefined ? '' : `, after ${formatDurationMs(madeInMs)} for making the database`;
  return `${result.database}: ${countText(count, 'migration')} applied in ${formatDurationMs(durationMs)}${made}.${left}${months}`;
}

function acrossText(document: UpResult | DryRunResult): string {
  if ('migrations' in document) return `${countText(document.migrations.length, 'migration')} would be applied`;
  const { applied, pending, partitions, distributedTo } = document;
  const parts = [
    applied.length === 0 ? 'nothing to apply' : `${countText(applied.length, 'migration')} applied`,
    ...(pending.length === 0 ? [] : [`${pending.length} still pending`]),
    ...(partitions.length === 0 ? [] : [`${countText(partitions.length, 'month')} made`]),
    ...(distributedTo === null ? [] : ['distributed']),
  ];
  return parts.join(', ');
}

async function writeScript(context: Context, options: Options): Promise<void> {
  const { migrationScript } = await import('../../../features/migrate/script/script.js');
  const script = await migrationScript({
    ...(await migrateSettings(context)),
    from: options.from ?? [],
    to: options.to,
    lockTimeoutMs: options.lockTimeout,
  });
  if (context.output.options.isJson) context.output.result({ script: `${script.join('\n')}\n` }, () => '');
  else for (const lines of script) context.output.text(`${lines}\n`);
}

async function rehearse(context: Context, options: Options): Promise<ExitCode | undefined> {
  const settings = await upOptions(context, options);
  const result = await context.withDatabase(
    { lockTimeoutMs: options.lockTimeout, embedded: 'scratch', isEmbeddedMeant: options.embedded },
    async (session) => {
      const { dryRunUp } = await import('../../../features/migrate/dry-run.js');
      return dryRunUp(session, settings, reportingTo(context));
    },
  );
  context.output.result({ ...result, isDryRun: true }, renderDryRun);
  const count = result.migrations.length;
  context.output.note(
    count === 0
      ? `${result.database}: nothing to do.`
      : `${result.database}: dry run of ${countText(count, 'migration')}, rolled back.`,
  );
  return result.findings.length === 0 ? undefined : 3;
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  refuseScriptUsage(options);
  if (options.dryRun) return rehearse(context, options);
  if (options.sql) await writeScript(context, options);
  else {
    const settings = await upOptions(context, options);
    const isMade = await refuseUnmeantDatabase(context, options.embedded);
    const startedMs = performance.now();
    let openedMs = startedMs;
    const result = await context.withDatabase(
      { lockTimeoutMs: options.lockTimeout, embedded: 'create', isEmbeddedMeant: options.embedded },
      async (session) => {
        openedMs = performance.now();
        const { migrateUp: apply } = await import('../../../features/migrate/up.js');
        return apply(session, settings, reportingTo(context));
      },
    );
    context.output.done(result, renderUp);
    context.output.note(summary(result, isMade ? Math.round(openedMs - startedMs) : undefined));
    if (result.distributedTo !== null)
      context.output.note(`Citus has the schema ${result.schema} on ${result.distributedTo}.`);
    const isNew = result.applied.some(({ source, name }) => isBundled({ source }) && name.startsWith('0001_'));
    if (isNew && result.pending.length === 0)
      context.output.note('Next: aisec seed (settings and the admin user), aisec migrate status.');
  }
  return undefined;
}

export const migrateUp = defineCommand<Options>({
  name: 'migrate up',
  summary: 'apply the pending migrations',
  description:
    'Applies the pending migrations in order, each in its own transaction, and makes the months of messages ahead. ' +
    'Killed at any moment and run again, it continues where it was. On a terminal and without a server it creates and uses the embedded database.',
  options: [
    TO_OPTION,
    { flags: '--dry-run', description: 'run and roll back; explain locks, reads and rewrites of each statement' },
    {
      flags: '--embedded',
      description: 'make the embedded database where there is none, also in CI or without a terminal',
    },
    ...SCRIPT_OPTIONS,
    ...ALLOW_OPTIONS,
    ...LOCK_OPTIONS,
  ],
  outlivesFailover: true,
  acrossSchemas: acrossText,
  makesTables: true,
  examples: [
    ['aisec migrate up', 'Bring the database up to date'],
    ['aisec migrate up --embedded', 'Make an embedded database in a pipeline'],
    ['aisec migrate up --dry-run', 'See what that would do and lock'],
    ["aisec migrate up --schema 'tenant_*' --jobs 4", 'Bring every tenant up to date, four at once'],
    ['aisec migrate up --sql > up.sql', 'Write the script for a DBA to run with psql'],
  ],
  run,
});
