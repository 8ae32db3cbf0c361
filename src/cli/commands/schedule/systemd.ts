import { userInfo } from 'node:os';
import { resolve } from 'node:path';

import type { Unit } from '../../../features/schedule/systemd.js';
import { AisecError } from '../../../base/errors.js';
import { countText } from '../../../base/count.js';
import { defineCommand, type Context } from '../../command.js';
import { DIRECTORY_OPTION, directoryOf } from '../../backup-place.js';
import { historyFile, NOTIFY_OPTIONS, oneLine, ONLY_OPTION, onThisMachine, type ScheduleOptions } from './options.js';

interface Options extends ScheduleOptions {
  readonly user?: string;
  readonly out?: string;
  readonly dryRun: boolean;
}

/** @throws AisecError USAGE. https://systemd.io/USER_NAMES/ */
function userName(text: string): string {
  if (/^[a-zA-Z_][a-zA-Z0-9_-]{0,30}$/.test(text)) return text;
  throw new AisecError('USAGE', `invalid user "${text}"`, { hint: 'Give the name of a user of this machine.' });
}

function unitsText(units: readonly Unit[]): string {
  return units
    .map(({ name, text }) => `# /etc/systemd/system/${name}\n${text}`)
    .join('\n')
    .trimEnd();
}

async function run(context: Context, options: Options): Promise<void> {
  const { config, output } = context;
  const { chooseJobs, scheduledJobs } = await import('../../../features/schedule/jobs.js');
  const { systemdUnits } = await import('../../../features/schedule/systemd.js');
  const { writeUnits } = await import('../../../features/schedule/write-units.js');
  const backupDir = oneLine('--dir', directoryOf(context, options));
  const jobs = chooseJobs(scheduledJobs(backupDir, historyFile(context, options)), options.only);
  const units = systemdUnits(jobs, {
    ...onThisMachine(context, options, backupDir),
    user: options.user ?? userName(userInfo().username),
    history: historyFile(context, options),
    backupDir,
  });
  if (options.out === undefined) {
    output.result({ jobs, units, written: null }, () => unitsText(units));
    return;
  }
  const written = writeUnits(units, resolve(config.cwd, options.out), options.dryRun);
  output.result({ jobs, units, written }, () => '');
  const verb = options.dryRun ? 'would write' : 'wrote';
  output.note(
    written.length === 0
      ? 'the units are up to date; nothing to do'
      : `${verb} ${countText(written.length, 'unit')} to ${options.out}. Next: systemctl daemon-reload && systemctl enable --now ${jobs.map(({ name }) => `aisec-${name}.timer`).join(' ')}`,
  );
}

export const scheduleSystemd = defineCommand<Options>({
  name: 'schedule systemd',
  summary: 'print or write a systemd service and timer for each job',
  description:
    'Prints a service and a timer for each job that the database needs, or writes them to a directory. The services run as one user, may write to the backup directory only, ' +
    'and read the URL of the database as a credential (--database-url-file, else /etc/aisec/database-url, mode 0600). Needs no database.',
  options: [
    ONLY_OPTION,
    DIRECTORY_OPTION,
    ...NOTIFY_OPTIONS,
    {
      flags: '--user <name>',
      description: 'user that the services run as (default: the one who runs this)',
      parse: userName,
    },
    { flags: '--out <dir>', description: 'write the units to this directory instead of stdout' },
    { flags: '--dry-run', description: 'with --out: list what would be written; write nothing' },
  ],
  acrossSchemas: 'unused',
  examples: [
    ['aisec schedule systemd --dir /backups/postgresql --user postgres', 'Print the units'],
    ['sudo aisec schedule systemd --user postgres --out /etc/systemd/system', 'Write them'],
  ],
  run,
});
