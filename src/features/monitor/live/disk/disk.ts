import { readFile, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';

import { spaceOf, type Space } from '../../../../adapters/files/space.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { formatBytes } from '../../../../base/bytes.js';
import type { LiveCheck, LiveFault } from '../check.js';
import { MONITOR } from '../privileges.js';
import { levelOf, scaled, type Threshold } from '../thresholds.js';

/** Where a server says that it is, and which one it is. */
interface PlaceRow {
  /** Null: reached by a Unix socket. */
  readonly address: string | null;
  readonly port: string;
  readonly startedAtSeconds: number;
  /** Null: hidden from this role. */
  readonly dataDirectory: string | null;
  readonly tablespaces: readonly { readonly name: string; readonly location: string }[];
}

/** The clock is read twice at a start: for postmaster.pid, and for pg_postmaster_start_time() a moment later. */
const START_SPREAD_SECONDS = 30;

function isOfThisMachine(address: string | null): boolean {
  if (address === null || address === '::1' || address.startsWith('127.')) return true;
  return Object.values(networkInterfaces()).some((entries) => entries?.some((entry) => entry.address === address));
}

/**
 * Whether the data directory that the server names is the one under that path here: `elsewhere` behind a tunnel, a forwarded port
 * or in a container, `unreadable` when only another user of this machine may look. postmaster.pid has the start and the port:
 * https://www.postgresql.org/docs/current/storage-file-layout.html
 */
async function placeOf(server: PlaceRow): Promise<'here' | 'elsewhere' | 'hidden' | 'unreadable'> {
  if (!isOfThisMachine(server.address)) return 'elsewhere';
  if (server.dataDirectory === null) return 'hidden';
  try {
    const lines = (await readFile(path.join(server.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n');
    const isSame =
      lines[3]?.trim() === server.port && Math.abs(Number(lines[2]) - server.startedAtSeconds) <= START_SPREAD_SECONDS;
    return isSame ? 'here' : 'elsewhere';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? 'unreadable' : 'elsewhere';
  }
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
    const place = server === undefined ? 'elsewhere' : await placeOf(server);
    if (server === undefined || place === 'elsewhere')
      return { notApplicable: 'the disks of a server on another machine cannot be seen by SQL' };
    const { dataDirectory: directory } = server;
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
