import { AisecError } from '../../base/errors.js';
import { didYouMean } from '../../base/did-you-mean.js';
import type { Calendar } from './calendar.js';

export interface Job {
  /** Part of the names of units and CronJobs. */
  readonly name: string;
  readonly purpose: string;
  readonly at: Calendar;
  /** Arguments of aisec; silent when all is well, so that a mail is a finding. */
  readonly args: readonly string[];
  /** Whether it reads or writes the backup directory. */
  readonly usesBackups: boolean;
}

/**
 * What has to run for as long as the database lives. `--wait` lets neighbours end first; no two begin in the same minute.
 *
 * @param backupDir absolute
 * @param history of doctor, absolute, when it is to send what is new and gone to a webhook
 */
export function scheduledJobs(backupDir: string, history: string | null): readonly Job[] {
  const dir = ['--dir', backupDir];
  return [
    {
      name: 'partitions',
      purpose: 'make the months of messages ahead',
      at: { minute: 5 },
      args: ['partitions', 'ensure', '--wait', '10m', '--quiet'],
      usesBackups: false,
    },
    {
      name: 'archive',
      purpose: 'move old months to the archive',
      at: { minute: 20, hour: 3 },
      args: ['archive', '--max-wait', '10m', '--wait', '30m', '--quiet'],
      usesBackups: false,
    },
    {
      name: 'backup',
      purpose: 'back up, verify, remove what is past retention',
      at: { minute: 15, hour: 2 },
      args: ['backup', ...dir, '--wait', '30m', '--quiet'],
      usesBackups: true,
    },
    {
      name: 'backup-verify',
      purpose: 'restore the newest backup into a scratch database and compare it',
      at: { minute: 30, hour: 4, weekday: 0 },
      args: ['backup', 'verify', ...dir, '--deep', '--quiet'],
      usesBackups: true,
    },
    {
      name: 'backup-drill',
      purpose: 'recover from the newest backup into a scratch database, and record how long that took',
      at: { minute: 30, hour: 5, day: 1 },
      args: ['backup', 'drill', ...dir, '--quiet'],
      usesBackups: true,
    },
    {
      name: 'backup-check',
      purpose: 'report when there is no good and recent backup',
      at: { minute: 10 },
      args: ['backup', 'check', ...dir, '--max-deep-age', '8d', '--max-drill-age', '35d', '--quiet'],
      usesBackups: true,
    },
    {
      name: 'doctor',
      purpose: 'report critical findings',
      at: { minute: 45 },
      args: [
        'doctor',
        '--fail-on',
        'critical',
        ...(history === null ? [] : ['--history', history, '--notify']),
        '--quiet',
      ],
      usesBackups: true,
    },
    {
      name: 'record',
      purpose: 'record the sizes that the forecast is made from',
      at: { minute: 50, hour: 4 },
      args: ['monitor', 'record', '--quiet'],
      usesBackups: false,
    },
  ];
}

/** Those that were asked for, in the order above; all of them when none was. @throws AisecError USAGE for an unknown name. */
export function chooseJobs(jobs: readonly Job[], names: readonly string[] | undefined): readonly Job[] {
  if (names === undefined) return jobs;
  const known = jobs.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return jobs.filter(({ name }) => names.includes(name));
  const near = didYouMean(unknown, known);
  throw new AisecError('USAGE', `unknown job "${unknown}"`, {
    hint: near === undefined ? `The jobs are: ${known.join(', ')}.` : `Did you mean "${near}"?`,
  });
}
