import { defineCommand, type Context } from '../../command.js';
import { DIRECTORY_OPTION, directoryOf } from '../../backup-place.js';
import { historyFile, NOTIFY_OPTIONS, oneLine, ONLY_OPTION, onThisMachine, type ScheduleOptions } from './options.js';

async function run(context: Context, options: ScheduleOptions): Promise<void> {
  const { chooseJobs, scheduledJobs } = await import('../../../features/schedule/jobs.js');
  const { crontabText } = await import('../../../features/schedule/crontab.js');
  const backupDir = oneLine('--dir', directoryOf(context, options));
  const jobs = chooseJobs(scheduledJobs(backupDir, historyFile(context, options)), options.only);
  const text = crontabText(jobs, onThisMachine(context, options, backupDir));
  context.output.result({ jobs, crontab: text }, () => text.trimEnd());
}

export const scheduleCrontab = defineCommand<ScheduleOptions>({
  name: 'schedule crontab',
  summary: 'print a crontab with every job that the database needs',
  description:
    'Prints the lines for cron: months ahead, archive, backup, its weekly restore, its check, doctor and the record of sizes. A quiet night prints nothing, so that a mail is a finding. ' +
    'The URL of the database is read from a file (--database-url-file, else /etc/aisec/database-url) and never printed. Needs no database.',
  options: [ONLY_OPTION, DIRECTORY_OPTION, ...NOTIFY_OPTIONS],
  acrossSchemas: 'unused',
  examples: [
    ['aisec schedule crontab --dir /backups/postgresql', 'Print it'],
    ['aisec schedule crontab --dir /backups/postgresql | crontab -', 'Make it the crontab of this user'],
    ['aisec schedule crontab --only partitions,archive', 'Two of the jobs'],
  ],
  run,
});
