import { relative } from 'node:path';

import { countEach, countText } from '../../base/count.js';
import { formatDurationMs } from '../../base/duration.js';
import { WANTED_MONTHS_AHEAD } from '../../base/month.js';
import type { AisecError } from '../../base/errors.js';
import { aisecVersion, postgresVersion } from '../../base/package/version.js';
import type { DatabaseTarget, ServerTarget } from '../../config/database-target.js';
import { BACKUP_DUE_AFTER_MS } from '../../features/backup/catalog/due.js';
import type { ListedBackup } from '../../features/backup/list.js';
import type { MigrationOverview } from '../../features/migrate/status.js';
import type { Renderer } from '../terminal/output.js';
import type { Paint } from '../terminal/streams.js';

const HELP = 'All commands: aisec --help';

/** What was found out in time; undefined: not known, null: there is none. */
export interface Standing {
  target: DatabaseTarget | undefined;
  /** Why it could not be looked at. */
  failure: AisecError | undefined;
  serverVersion: number | undefined;
  /** Of the embedded database: whether it is there. */
  isMade: boolean;
  migrations: MigrationOverview | undefined;
  monthsAhead: number | null | undefined;
  backup: ListedBackup | null | undefined;
  readonly backupDir: string;
  readonly cwd: string;
}

interface Line {
  readonly title: string;
  readonly value: string;
}

/** Paths are printed as a person at this place would type them. */
function near(file: string, cwd: string): string {
  const below = relative(cwd, file);
  return below === '' || below.startsWith('..') ? file : below;
}

function addressOf({ connection: { database, host, port } }: ServerTarget): string {
  return `"${database}" at ${host.startsWith('/') ? host : `${host}:${port}`}`;
}

/** Of why a server is not reached, what the line does not say already. */
function reasonOf(failure: AisecError | undefined, target: ServerTarget): string {
  const address = addressOf(target);
  return failure?.message.replace(` to database ${address}`, '').replace(` database ${address}`, '') ?? 'not reached';
}

function databaseLine(standing: Standing, paint: Paint): Line {
  const { target, failure, serverVersion } = standing;
  const title = 'database';
  if (target === undefined) return { title, value: paint.red(failure?.message ?? 'not known') };
  if (target.kind === 'embedded')
    return {
      title,
      value: standing.isMade ? `embedded PostgreSQL in ${near(target.dataDir, standing.cwd)}` : 'none yet',
    };
  const where = `${addressOf(target)} as ${target.connection.user} (${target.source})`;
  if (serverVersion === undefined) return { title, value: `${where}: ${paint.red(reasonOf(failure, target))}` };
  return { title, value: `${where}, PostgreSQL ${postgresVersion(serverVersion)}` };
}

function migrationsLine({ migrations }: Standing, paint: Paint): readonly Line[] {
  if (migrations === undefined) return [];
  const text = countEach(migrations.migrations.map(({ state }) => state)) || 'none';
  return [{ title: 'migrations', value: migrations.isCurrent ? text : paint.yellow(text) }];
}

function monthsLine({ monthsAhead }: Standing, paint: Paint): readonly Line[] {
  if (monthsAhead === undefined || monthsAhead === null) return [];
  const text = monthsAhead < 0 ? 'none for this month' : `${countText(monthsAhead, 'month')} ahead`;
  return [{ title: 'partitions', value: monthsAhead < WANTED_MONTHS_AHEAD ? paint.yellow(text) : text }];
}

function ageMs(time: string): number {
  return Date.now() - Date.parse(time);
}

function backupLine({ backup, backupDir, target, isMade, cwd }: Standing, paint: Paint): readonly Line[] {
  if (backup === undefined || (target?.kind === 'embedded' && !isMade && backup === null)) return [];
  const title = 'last backup';
  if (backup === null) return [{ title, value: paint.yellow(`none in ${near(backupDir, cwd)}`) }];
  const old = ageMs(backup.createdAt);
  const text = `${formatDurationMs(Math.max(0, old))} ago, ${backup.state}, in ${near(backupDir, cwd)}`;
  const isGood = backup.state === 'verified' && old <= BACKUP_DUE_AFTER_MS;
  return [{ title, value: isGood ? text : paint.yellow(text) }];
}

function isBackupDue({ backup }: Standing): boolean {
  if (backup === undefined) return false;
  return backup === null || backup.state !== 'verified' || ageMs(backup.createdAt) > BACKUP_DUE_AFTER_MS;
}

function advice({ hint }: AisecError): readonly string[] {
  return hint === undefined
    ? []
    : [hint.startsWith('aisec ') ? `Next: ${hint}` : `Next: ${hint.charAt(0).toLowerCase()}${hint.slice(1)}`];
}

function nextStep(standing: Standing): readonly string[] {
  const { failure, target, migrations, monthsAhead } = standing;
  if (failure !== undefined) return advice(failure);
  if (target?.kind === 'embedded') return [`Next: aisec ${standing.isMade ? 'migrate status' : 'migrate up'}`];
  const isOdd = migrations?.migrations.some(({ state }) => !['applied', 'pending', 'incomplete'].includes(state));
  if (isOdd === true) return ['Next: aisec migrate check'];
  if (migrations?.isCurrent === false) return ['Next: aisec migrate up'];
  if (typeof monthsAhead === 'number' && monthsAhead < WANTED_MONTHS_AHEAD) return ['Next: aisec partitions ensure'];
  return [isBackupDue(standing) ? 'Next: aisec backup' : 'Next: aisec doctor'];
}

const START = [
  'No database is configured. To start, one of:',
  '  aisec migrate up --embedded                  an embedded PostgreSQL in .aisec, nothing to install',
  '  DATABASE_URL=postgres://… aisec migrate up   a server, PostgreSQL 16 or newer with pgvector',
];

/** The same on a terminal and in a pipe, but for the colours. */
export function renderStanding(standing: Standing, { paint }: Renderer): string {
  const { target, isMade, failure } = standing;
  if (target?.kind === 'embedded' && !isMade && failure === undefined) return [...START, HELP].join('\n');
  const lines = [
    databaseLine(standing, paint),
    ...migrationsLine(standing, paint),
    ...monthsLine(standing, paint),
    ...backupLine(standing, paint),
    ...(failure !== undefined && standing.serverVersion !== undefined
      ? [{ title: 'problem', value: paint.red(failure.message) }]
      : []),
  ];
  return [
    `aisec ${aisecVersion()}`,
    ...lines.map(({ title, value }) => `${title.padEnd(13)}${value}`),
    ...nextStep(standing),
    HELP,
  ].join('\n');
}

/** Settings that cannot be read, so that not even the database is known. */
export function standingWithoutSettings(error: AisecError): string {
  return [`aisec ${aisecVersion()}`, `${'settings'.padEnd(13)}${error.message}`, ...advice(error), HELP, ''].join('\n');
}
