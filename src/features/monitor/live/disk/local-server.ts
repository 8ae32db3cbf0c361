import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';

/** Where a server says that it is, and which one it is. */
export interface ServerPlace {
  /** Null: reached by a Unix socket. */
  readonly address: string | null;
  readonly port: string;
  readonly startedAtSeconds: number;
  /** Null: hidden from this role. */
  readonly dataDirectory: string | null;
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
export async function placeOf(server: ServerPlace): Promise<'here' | 'elsewhere' | 'hidden' | 'unreadable'> {
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
