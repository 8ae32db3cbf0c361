import { countText } from '../../../base/count.js';
import { basename } from 'node:path';

import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';
import type { BackupList, ListedBackup } from '../../../features/backup/list.js';
import { directoryOf, PLACE_OPTIONS, placeOf, type PlaceOptions } from '../../backup-place.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';

function ageText(time: string): string {
  const ageMs = Date.now() - Date.parse(time);
  return ageMs < 0 ? 'in the future' : formatDurationMs(ageMs);
}

/** When it was verified last, and by which level. */
function verifiedText({ readAt, deepAt }: ListedBackup, isTTY: boolean): string {
  const [level, at] = deepAt === null ? ['read', readAt] : ['deep', deepAt];
  if (at === null) return '';
  return `${level} ${isTTY ? `${ageText(at)} ago` : at}`;
}

function stateText(row: ListedBackup, { paint }: Renderer): string {
  const text = [row.state, ...(row.isPartial ? ['partial'] : []), ...(row.isPinned ? ['pinned'] : [])].join(', ');
  return row.state === 'verified' ? text : paint.red(text);
}

function renderList({ backups }: BackupList, renderer: Renderer): string {
  if (backups.length === 0) return '';
  const { isTTY } = renderer;
  return renderer.table(backups, [
    { title: 'file', value: (row) => (isTTY ? basename(row.file) : row.file) },
    { title: 'database', value: (row) => row.database },
    { title: isTTY ? 'age' : 'created', value: (row) => (isTTY ? ageText(row.createdAt) : row.createdAt) },
    {
      title: 'size',
      value: ({ sizeBytes }) => (sizeBytes === null ? '' : isTTY ? formatBytes(sizeBytes) : String(sizeBytes)),
      align: 'right',
    },
    { title: 'rows', value: (row) => String(row.rows ?? ''), align: 'right' },
    { title: 'server', value: (row) => row.serverVersion ?? '' },
    { title: 'state', value: (row) => stateText(row, renderer) },
    { title: 'last verified', value: (row) => verifiedText(row, isTTY) },
    { title: 'copies', value: (row) => row.offsite.join(' ') },
  ]);
}

async function run(context: Context, options: PlaceOptions): Promise<void> {
  const { output, config, signal } = context;
  const place = placeOf(options);
  const { listBackups, listCopies } = await import('../../../features/backup/list.js');
  const list =
    place === undefined
      ? await listBackups(directoryOf(context, options))
      : await listCopies(place, { environment: config.environment, signal });
  output.result(list, renderList);
  for (const { file, reason } of list.backups) if (reason !== null) output.warning(`${file}: ${reason}`);
  for (const partial of list.partials)
    output.warning(`${partial} is a partial backup (an interrupted run, or one still running)`);
  output.note(`${list.directory}: ${countText(list.backups.length, 'backup')}.`);
}

export const backupList = defineCommand<PlaceOptions>({
  name: 'backup list',
  summary: 'show the backups, and which of them were verified',
  description:
    'Reads the names and the manifests in the directory, whichever database they are of; no server and no backup is opened. ' +
    'A file without its manifest, or of another size than that says, is shown as incomplete and counts for nothing; so does one that this user may not read, which is shown as unreadable.',
  options: PLACE_OPTIONS,
  acrossSchemas: 'unused',
  examples: [
    ['aisec backup list', 'The newest first'],
    ['aisec backup list --store s3://backups/prod', 'The copies in a store instead'],
    ['aisec backup list --json', 'With versions, times of verification and copies'],
  ],
  isPaged: true,
  run,
});
