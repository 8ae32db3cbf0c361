import { dirname } from 'node:path';

import { onCalendar } from './calendar.js';
import type { Job } from './jobs.js';

export interface SystemdPlace {
  readonly program: readonly string[];
  readonly user: string;
  readonly databaseUrlFile: string;
  /** Of the webhook; null: none was asked for. */
  readonly notifyUrlFile: string | null;
  readonly backupDir: string;
  /** Of doctor; null: it keeps none. */
  readonly history: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

export interface Unit {
  readonly name: string;
  readonly text: string;
}

/** A word of ExecStart= or of another list; % and $ stand for something else there. man 5 systemd.service */
function word(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./:@+=,%$-]+$/.test(text) ? escaped : `"${escaped}"`;
}

/** Environment= and paths know no `$`. */
function assignment(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}

function credential(name: string, file: string): string {
  return `LoadCredential=${name}:${file.replaceAll('%', '%%')}`;
}

/** Where the history of doctor is: made by systemd for the user of the service, or there already. */
function stateOf(directory: string): readonly string[] {
  return directory === '/var/lib/aisec' ? ['StateDirectory=aisec'] : [`ReadWritePaths=${assignment(directory)}`];
}

function service(job: Job, place: SystemdPlace): string {
  const settings = Object.entries(place.settings).map(
    ([name, value]) => `Environment=${assignment(`${name}=${value}`)}`,
  );
  const isNotifying = place.notifyUrlFile !== null && job.args.includes('--notify');
  const webhook = isNotifying
    ? [credential('notify-url', place.notifyUrlFile), 'Environment=AISEC_NOTIFY_URL_FILE=%d/notify-url']
    : [];
  const state = isNotifying && place.history !== null ? stateOf(dirname(place.history)) : [];
  const writable = job.usesBackups ? [`ReadWritePaths=${assignment(place.backupDir)}`] : [];
  return [
    '[Unit]',
    `Description=aisec: ${job.purpose}`,
    'Wants=network-online.target',
    'After=network-online.target',
    '# A unit of your own that sends a message: OnFailure=notify@%n.service',
    '',
    '[Service]',
    'Type=oneshot',
    `User=${place.user}`,
    '# root reads the file, which has mode 0600; the job sees its own copy.',
    credential('database-url', place.databaseUrlFile),
    'Environment=AISEC_DATABASE_URL_FILE=%d/database-url',
    ...webhook,
    ...settings,
    `ExecStart=${[...place.program, ...job.args].map(word).join(' ')}`,
    'NoNewPrivileges=yes',
    'PrivateTmp=yes',
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    ...writable,
    ...state,
    '',
  ].join('\n');
}

function timer(job: Job): string {
  return [
    '[Unit]',
    `Description=aisec: ${job.purpose}`,
    '',
    '[Timer]',
    `OnCalendar=${onCalendar(job.at)}`,
    '# What was missed while the machine was off is made up for.',
    'Persistent=true',
    '',
    '[Install]',
    'WantedBy=timers.target',
    '',
  ].join('\n');
}

/** A service and a timer for each job. */
export function systemdUnits(jobs: readonly Job[], place: SystemdPlace): readonly Unit[] {
  return jobs.flatMap((job) => [
    { name: `aisec-${job.name}.service`, text: service(job, place) },
    { name: `aisec-${job.name}.timer`, text: timer(job) },
  ]);
}
