import { shellWord } from '../../base/package/aisec-command.js';
import { cronFields } from './calendar.js';
import type { Job } from './jobs.js';

export interface CrontabPlace {
  /** What starts aisec, each word absolute: cron has almost no PATH. */
  readonly program: readonly string[];
  readonly databaseUrlFile: string;
  /** Of the webhook; null: none was asked for. */
  readonly notifyUrlFile: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

/** In the command of a crontab a percent sign ends the line, unless it is escaped. man 5 crontab */
function commandLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ').replaceAll('%', '\\%');
}

/** In a crontab, a value in quotes is taken as it is; what is not quoted loses blanks at its ends. */
function setting(name: string, value: string): string {
  const quote = ['"', "'"].find((each) => !value.includes(each)) ?? '';
  return `${name}=${quote}${value}${quote}`;
}

/** Until a backup was restored and a drill has passed, backup-check says so, every hour. */
const FIRST = [
  '# Before the first night, once by hand, with the arguments below: backup, backup verify --deep, backup drill. What was',
  '# never tried is reported every hour.',
];

/** A crontab of one user: `crontab -` reads it. */
export function crontabText(
  jobs: readonly Job[],
  { program, databaseUrlFile, notifyUrlFile, settings }: CrontabPlace,
): string {
  const lines = [
    '# Jobs of aisec. A quiet night prints nothing; what is printed is mailed to MAILTO.',
    '# Times are those of this machine.',
    `# The first line of ${databaseUrlFile} is the URL of the database; only its owner may read it (mode 0600).`,
    ...(notifyUrlFile === null ? [] : [`# That of ${notifyUrlFile} is the webhook that doctor reports changes to.`]),
    ...FIRST,
    'MAILTO=root',
    setting('AISEC_DATABASE_URL_FILE', databaseUrlFile),
    ...(notifyUrlFile === null ? [] : [setting('AISEC_NOTIFY_URL_FILE', notifyUrlFile)]),
    ...Object.entries(settings).map(([name, value]) => setting(name, value)),
  ];
  for (const job of jobs)
    lines.push('', `# ${job.name}: ${job.purpose}`, `${cronFields(job.at)}  ${commandLine([...program, ...job.args])}`);
  return `${lines.join('\n')}\n`;
}
