import { formatDurationMs } from '../../../base/duration.js';
import type { DownOptions } from '../../../features/migrate/down.js';
import { labelOf } from '../../../features/migrate/files/source.js';
import { defineCommand, type Context } from '../../command.js';
import { LOCK_OPTIONS, lockTimes, type LockOptions } from '../../options.js';
import { confirmLoss, describeLosses, type LossOptions } from './confirm-loss.js';
import { LOSS_OPTIONS } from './down.js';
import { migrateSettings } from './settings.js';
import { reportingTo } from '../../reporting.js';

interface Options extends LockOptions, LossOptions {
  readonly dryRun: boolean;
}

async function rehearseRedo(context: Context, settings: Omit<DownOptions, 'target'>): Promise<void> {
  const result = await context.withDatabase({ lockTimeoutMs: settings.lockTimeoutMs }, async (session) => {
    const { dryRunRedo } = await import('../../../features/migrate/redo.js');
    return dryRunRedo(session, settings, reportingTo(context));
  });
  context.output.result({ ...result, isDryRun: true }, ({ wouldRedo }, { table }) =>
    wouldRedo.length === 0 ? '' : table(wouldRedo, [{ title: 'would redo', value: (name) => name }]),
  );
  const untried = result.untried === null ? '' : ' It was not tried: it runs without a transaction.';
  context.output.note(`${result.database}: dry run, rolled back.${untried}${describeLosses(result.losses)}`);
}

async function run(context: Context, options: Options): Promise<void> {
  const settings = {
    ...(await migrateSettings(context)),
    ...lockTimes(options),
  };
  if (options.dryRun) {
    await rehearseRedo(context, settings);
    return;
  }
  const result = await context.withDatabase({ lockTimeoutMs: options.lockTimeout }, async (session) => {
    const { migrateRedo: redo } = await import('../../../features/migrate/redo.js');
    return redo(
      session,
      settings,
      (plan, losses) => confirmLoss(context, plan, losses, session.info.databaseName, options),
      reportingTo(context),
    );
  });
  context.output.done(result, ({ redone }, { table }) =>
    redone.length === 0
      ? ''
      : table(redone, [
          { title: 'redone', value: labelOf },
          { title: 'time', value: (row) => formatDurationMs(row.durationMs), align: 'right' },
        ]),
  );
  if (result.redone.length === 0) context.output.note(`${result.database}: nothing to redo.`);
}

export const migrateRedo = defineCommand<Options>({
  name: 'migrate redo',
  summary: 'revert the newest migration and apply it again',
  description:
    'Reverts the newest applied migration and applies that one again. Pending migrations stay pending. Meant for the migration you are writing.',
  options: [
    { flags: '--dry-run', description: 'run both and roll back; list what would be deleted' },
    ...LOSS_OPTIONS,
    ...LOCK_OPTIONS,
  ],
  examples: [
    ['aisec migrate redo', 'Try the Down and the Up of the newest migration'],
    ['aisec migrate redo --json', 'The same, for a script'],
  ],
  run,
});
