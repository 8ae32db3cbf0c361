import { countText } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import { labelOf } from '../../../features/migrate/files/source.js';
import type { DownOptions, DownRehearsal, DownResult } from '../../../features/migrate/down.js';
import { defineCommand, type Context, type OptionSpec } from '../../command.js';
import { LOCK_OPTIONS, lockTimes, type LockOptions } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { confirmLoss, describeLosses, type LossOptions } from './confirm-loss.js';
import { refuseScriptUsage, SCRIPT_OPTIONS, type ScriptOptions } from './script.js';
import { migrateSettings } from './settings.js';
import { reportingTo } from '../../reporting.js';

interface Options extends LockOptions, LossOptions, ScriptOptions {
  readonly to?: string;
  readonly all: boolean;
}

export const LOSS_OPTIONS: readonly OptionSpec[] = [
  { flags: '--yes', description: 'do it without asking' },
  { flags: '--confirm <database>', description: 'the name of the database, needed in production' },
];

function targetOf(options: Options): DownOptions['target'] {
  if (options.to !== undefined && options.all)
    throw new AisecError('USAGE', '--to and --all cannot be used together', { hint: 'See: aisec migrate down --help' });
  if (options.to !== undefined) return { kind: 'to', name: options.to };
  return { kind: options.all ? 'all' : 'one' };
}

function renderDown(result: DownResult, { table, paint }: Renderer): string {
  if (result.reverted.length === 0) return '';
  return table(result.reverted, [
    { title: 'reverted', value: (row) => paint.yellow(labelOf(row)) },
    { title: 'time', value: (row) => formatDurationMs(row.durationMs), align: 'right' },
  ]);
}

function acrossText(document: DownResult | DownRehearsal): string {
  if ('wouldRevert' in document) return `${countText(document.wouldRevert.length, 'migration')} would be reverted`;
  return document.reverted.length === 0
    ? 'nothing to revert'
    : `${countText(document.reverted.length, 'migration')} reverted`;
}

async function rehearseDown(context: Context, settings: DownOptions): Promise<void> {
  const result = await context.withDatabase({ lockTimeoutMs: settings.lockTimeoutMs }, async (session) => {
    const { dryRunDown } = await import('../../../features/migrate/down.js');
    return dryRunDown(session, settings, reportingTo(context));
  });
  context.output.result({ ...result, isDryRun: true }, ({ wouldRevert }, { table }) =>
    wouldRevert.length === 0 ? '' : table(wouldRevert, [{ title: 'would revert', value: (name) => name }]),
  );
  const untried =
    result.untriedFrom === null
      ? ''
      : ` From ${result.untriedFrom} on nothing was tried: it runs without a transaction.`;
  context.output.note(`${result.database}: dry run, rolled back.${untried}${describeLosses(result.losses)}`);
}

async function writeScript(context: Context, options: Options): Promise<void> {
  const { downScript } = await import('../../../features/migrate/script/script.js');
  const script = await downScript({
    ...(await migrateSettings(context)),
    from: options.from ?? [],
    target: targetOf(options),
    lockTimeoutMs: options.lockTimeout,
  });
  if (context.output.options.isJson) context.output.result({ script: `${script.join('\n')}\n` }, () => '');
  else for (const lines of script) context.output.text(`${lines}\n`);
}

async function run(context: Context, options: Options): Promise<void> {
  const target = targetOf(options);
  refuseScriptUsage(options);
  if (options.sql) {
    await writeScript(context, options);
    return;
  }
  const settings = {
    ...(await migrateSettings(context)),
    target,
    ...lockTimes(options),
  };
  if (options.dryRun) {
    await rehearseDown(context, settings);
    return;
  }
  const result = await context.withDatabase({ lockTimeoutMs: options.lockTimeout }, async (session) => {
    const { migrateDown: revert } = await import('../../../features/migrate/down.js');
    return revert(
      session,
      settings,
      (plan, losses) => confirmLoss(context, plan, losses, session.info.databaseName, options),
      reportingTo(context),
    );
  });
  context.output.done(result, renderDown);
  const count = result.reverted.length;
  const rest = result.isEmpty ? ' Nothing is left.' : '';
  context.output.note(
    count === 0 ? `${result.database}: nothing to revert.` : `${result.database}: ${count} reverted.${rest}`,
  );
}

export const migrateDown = defineCommand<Options>({
  name: 'migrate down',
  summary: 'revert the newest migration',
  description:
    'Reverts exactly one migration, the newest. More needs --to or --all, and a confirmation. Rows that would be deleted are counted, and need a confirmation, too.',
  options: [
    { flags: '--to <name>', description: 'revert everything after this migration, which stays' },
    { flags: '--all', description: 'revert every migration' },
    { flags: '--dry-run', description: 'run and roll back; list what would be reverted and deleted' },
    ...SCRIPT_OPTIONS,
    ...LOSS_OPTIONS,
    ...LOCK_OPTIONS,
  ],
  acrossSchemas: acrossText,
  examples: [
    ['aisec migrate down', 'Revert the newest migration'],
    ['aisec migrate down --dry-run', 'See what that would revert and delete'],
    ['aisec migrate down --to 0042_add_invoices --yes', 'Revert everything after 0042_add_invoices'],
    ['aisec migrate down --sql > down.sql', 'Write the script that reverts the newest one, for psql'],
  ],
  run,
});
