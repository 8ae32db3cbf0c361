import { countText } from '../../../base/count.js';

import { settingValue } from '../../../config/config.js';
import type { PasswordChoice } from '../../../features/seed/password-choice.js';
import type { SeedResult } from '../../../features/seed/run.js';
import { defineCommand, type Context } from '../../command.js';
import { WAIT_OPTION } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { givenPath } from '../../backup-place.js';

interface Options {
  readonly set: string;
  readonly adminPasswordFile?: string;
  readonly dryRun: boolean;
  readonly wait: number;
}

const LOCK_TIMEOUT_MS = 2000;

function renderSeed(result: SeedResult, { table, paint }: Renderer): string {
  if (result.rows === 0) return '';
  const lines = result.files.flatMap(({ name, writes }) => writes.map((write) => ({ name, ...write })));
  return table(lines, [
    { title: 'file', value: (row) => row.name },
    { title: 'action', value: (row) => row.action },
    { title: 'table', value: (row) => row.table },
    { title: 'rows', value: (row) => (row.rows === 0 ? '0' : paint.green(String(row.rows))), align: 'right' },
  ]);
}

function summary({ database, set, rows, isDryRun }: SeedResult): string {
  if (rows === 0) return `${database}: nothing to do, every row of the set ${set} is there.`;
  const count = `${countText(rows, 'row')} of the set ${set}`;
  return isDryRun ? `${database}: dry run, rolled back; ${count} would be written.` : `${database}: ${count} written.`;
}

function passwordNote({ adminPassword, isDryRun }: SeedResult, isGiven: boolean): string | undefined {
  if (adminPassword === 'not-needed' && isGiven)
    return 'The admin user was there already and keeps the password it has.';
  if (adminPassword === 'generated' && isDryRun)
    return 'A password for the admin user would be generated and shown once.';
  return undefined;
}

function choosePassword(context: Context, given: string | undefined): PasswordChoice {
  const { output } = context;
  if (given !== undefined) return { kind: 'given', password: given };
  if (!output.canShowSecret) return { kind: 'refuse' };
  return {
    kind: 'generate',
    show: (password, isCertain) =>
      output.secret(
        `${isCertain ? 'admin password' : 'admin password, if the server did commit'} (generated, shown only this once): ${password}`,
      ),
  };
}

async function run(context: Context, options: Options): Promise<void> {
  const { config, output, progress } = context;
  const { readSeedSet, takesPassword } = await import('../../../features/seed/seed-directory.js');
  const { givenPassword } = await import('../../../features/seed/given-password.js');
  const onWarning = (text: string): void => output.warning(text);
  const set = await readSeedSet(options.set, config);
  const file = givenPath(context, options.adminPasswordFile);
  const value = settingValue('adminPassword', config.flags, config.environment);
  const given = takesPassword(set) ? givenPassword({ file, value }, onWarning) : undefined;
  if (file !== undefined && !takesPassword(set))
    onWarning(`the seed set ${set.name} has no use for an admin password; --admin-password-file was not read`);
  const result = await context.withDatabase({ lockTimeoutMs: LOCK_TIMEOUT_MS }, async (session) => {
    const { runSeedSet } = await import('../../../features/seed/run.js');
    const settings = {
      schema: config.schema,
      isDryRun: options.dryRun,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      waitMs: options.wait,
      password: choosePassword(context, given),
    };
    return runSeedSet(session, set, settings, { onProgress: progress.report, onWarning });
  });
  output.done(result, renderSeed);
  output.note(summary(result));
  const note = passwordNote(result, given !== undefined);
  if (note !== undefined) output.note(note);
}

export const seed = defineCommand<Options>({
  name: 'seed',
  summary: 'fill in the initial data',
  description:
    'Runs a seed set, all of it in one transaction; what is there already stays as it is. The bundled set `initial` has the settings and the admin user. ' +
    "The admin's password comes from AISEC_ADMIN_PASSWORD or --admin-password-file, else one is generated and shown once, on a terminal only.",
  options: [
    { flags: '--set <name>', description: 'the seed set to run', default: 'initial' },
    { flags: '--admin-password-file <file>', description: 'file whose first line is the password of a new admin user' },
    { flags: '--dry-run', description: 'run and roll back; list what would be written' },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec seed', 'Fill in the settings and the admin user, and show its password'],
    ['aisec seed --admin-password-file /run/secrets/admin', 'The same without a terminal'],
    ['aisec seed --set team --seeds-dir ./seeds', 'Run a set of your own'],
  ],
  run,
});
