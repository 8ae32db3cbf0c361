import { shellWord } from '../../base/aisec-command.js';
import { cronFields } from './calendar.js';
import type { Job } from './jobs.js';

export interface CrontabPlace {
  /** What starts aisec, each word absolute: cron has almost no PATH. */
  readonly program: readonly string[];
  readonly databaseUrlFile: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** In the command of a crontab a percent sign ends the line, unless it is escaped. man 5 crontab */
function commandLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ').replaceAll('%', '\\%');
}

/** In a crontab, a value in quotes is taken as it is; what is not quoted loses blanks at its ends. */
function setting(name: string, value: string): string {
  return `${name}=${value.includes('"') ? `'${value}'` : `"${value}"`}`;
}

/** A crontab of one user: `crontab -` reads it. */
export function crontabText(jobs: readonly Job[], { program, databaseUrlFile, settings }: CrontabPlace): string {
  const lines = [
    '# Jobs of aisec. A quiet night prints nothing; what is printed is mailed to MAILTO.',
    '# Times are those of this machine.',
    `# The first line of ${databaseUrlFile} is the URL of the database; only its owner may read it (mode 0600).`,
    'MAILTO=root',
    setting('AISEC_DATABASE_URL_FILE', databaseUrlFile),
    ...Object.entries(settings).map(([name, value]) => setting(name, value)),
  ];
  for (const job of jobs)
    lines.push('', `# ${job.name}: ${job.purpose}`, `${cronFields(job.at)}  ${commandLine([...program, ...job.args])}`);
  return `${lines.join('\n')}\n`;
}
