import { stat } from 'node:fs/promises';
import path from 'node:path';

import { spaceOf, type Space } from '../../../../adapters/files/space.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../../base/bytes.js';
import type { LiveCheck, LiveFault } from '../check.js';
import { placeOf } from './local-server.js';
import { MONITOR } from '../privileges.js';
import { levelOf, scaled, type Threshold } from '../thresholds.js';

interface PlaceRow {
  readonly address: string | null;
  readonly port: string;
  readonly started_at: number;
  readonly data_directory: string | null;
  readonly tablespaces: readonly { readonly name: string; readonly location: string }[];
}

interface Disk extends Space {
  /** `data directory`, `pg_wal`, `tablespace NAME`: what first was found on it. */
  readonly holds: string;
}

/** Each file system once, though several directories may be on it. */
async function readDisks(directories: readonly (readonly [holds: string, directory: string])[]): Promise<Disk[]> {
  const disks = new Map<number, Disk>();
  for (const [holds, directory] of directories) {
    const { dev } = await stat(directory);
    if (!disks.has(dev)) disks.set(dev, { holds, ...(await spaceOf(directory)) });
  }
  return [...disks.values()];
}

const usedPercent = ({ usedBytes, freeBytes }: Disk): number => (usedBytes / (usedBytes + freeBytes)) * 100;

function faultOf(disk: Disk, threshold: Threshold): LiveFault | undefined {
  const severity = levelOf(usedPercent(disk), threshold);
  if (severity === undefined) return undefined;
  return {
    object: disk.holds,
    severity,
    message: `the disk of the ${disk.holds} is ${Math.floor(usedPercent(disk))} % full: ${formatBytes(disk.freeBytes)} of ${formatBytes(disk.usedBytes + disk.freeBytes)} are free`,
    impact:
      'when it is full every write fails, and a full pg_wal stops the server; aisec monitor tables shows what is large, and wal-size and replication-slot what keeps WAL',
    fix: null,
  };
}

export const DISK: LiveCheck = {
  id: 'disk-used',
  area: 'live',
  severity: 'warning',
  title: 'disks of the server that are nearly full, where it is on the machine that looks',
  grant: MONITOR,
  look: async ({ session, thresholds }) => {
    const { rows } = await session.query<PlaceRow>(sqlFile('monitor/data-directories'));
    const [server] = rows;
    const directory = server?.data_directory ?? null;
    const place =
      server === undefined
        ? 'elsewhere'
        : await placeOf({
            address: server.address,
            port: server.port,
            startedAtSeconds: server.started_at,
            dataDirectory: directory,
          });
    if (server === undefined || place === 'elsewhere')
      return { notApplicable: 'the disks of a server on another machine cannot be seen by SQL' };
    if (place === 'hidden' || directory === null)
      return { skipped: 'data_directory is hidden from this role', lacksGrant: true };
    if (place === 'unreadable')
      return { skipped: `${directory} can only be read by the user that runs the server`, lacksGrant: false };
    const disks = await readDisks([
      ['data directory', directory],
      ['pg_wal', path.join(directory, 'pg_wal')],
      ...server.tablespaces.map(({ name, location }) => [`tablespace ${name}`, location] as const),
    ]);
    return {
      faults: disks.map((disk) => faultOf(disk, thresholds['disk-used'])),
      gauges: disks.flatMap((disk) => [
        {
          name: 'aisec_disk_used_bytes',
          help: 'Used on a disk of the server.',
          labels: { holds: disk.holds },
          value: disk.usedBytes,
          threshold: scaled(thresholds['disk-used'], (disk.usedBytes + disk.freeBytes) / 100),
        },
        {
          name: 'aisec_disk_free_bytes',
          help: 'Free on a disk of the server for its user.',
          labels: { holds: disk.holds },
          value: disk.freeBytes,
        },
      ]),
    };
  },
};
