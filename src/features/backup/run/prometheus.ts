import { readBackupDirectory, type Backup } from '../catalog/directory.js';
import { isVerifiedFull } from '../catalog/manifest.js';
import { writeSmallFile } from '../../../adapters/files/publish.js';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly value: (newest: Backup) => number;
}

const seconds = (time: string): number => Date.parse(time) / 1000;
const METRICS: readonly Metric[] = [
  {
    name: 'aisec_backup_last_success_timestamp_seconds',
    help: 'When the newest verified backup was begun.',
    value: ({ manifest }) => seconds(manifest.createdAt),
  },
  {
    name: 'aisec_backup_last_success_size_bytes',
    help: 'Size of the newest verified backup.',
    value: ({ manifest }) => manifest.sizeBytes,
  },
  {
    name: 'aisec_backup_last_success_duration_seconds',
    help: 'How long the newest verified backup took.',
    value: ({ manifest }) => manifest.durationMs / 1000,
  },
  {
    name: 'aisec_backup_last_verified_timestamp_seconds',
    help: 'When the newest verified backup was last proven.',
    value: ({ manifest }) => Math.max(...manifest.verifications.map(({ at }) => seconds(at))),
  },
];

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details */
function label(text: string): string {
  return text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}

function render(name: string, help: string, sample: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${sample}\n`;
}

/** The metrics of one database; those of a backup are left out while there is none. */
function backupMetrics(database: string, newest: Backup | undefined, count: number, isSuccess: boolean): string {
  const labels = `{database="${label(database)}"}`;
  const ofNewest =
    newest === undefined
      ? []
      : METRICS.map(({ name, help, value }) => render(name, help, `${name}${labels} ${value(newest)}`));
  const [run, verified] = ['aisec_backup_last_run_success', 'aisec_backups_verified'];
  return [
    render(run, 'Whether the last run succeeded.', `${run}${labels} ${isSuccess ? 1 : 0}`),
    render(verified, 'How many verified backups there are.', `${verified}${labels} ${count}`),
    ...ofNewest,
  ].join('');
}

/**
 * Writes the state of a database's backups for the textfile collector of node_exporter, whole or not at all. Others may
 * read it: the collector is another user. https://github.com/prometheus/node_exporter#textfile-collector
 */
export async function writeBackupMetrics(
  file: string,
  directory: string,
  database: string,
  isSuccess: boolean,
): Promise<void> {
  const { backups } = await readBackupDirectory(directory);
  const verified = backups.filter(({ manifest }) => manifest.database === database && isVerifiedFull(manifest));
  await writeSmallFile(file, backupMetrics(database, verified[0], verified.length, isSuccess), 0o644);
}
