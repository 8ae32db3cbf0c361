import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import path from 'node:path';

const IN_MEMORY = '/dev/shm';
/** Several times what a run has there at once. */
const NEEDED_BYTES = 8 * 1024 ** 3;
const FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000;

function canBeUsed(): boolean {
  if (!existsSync(IN_MEMORY) || freemem() < NEEDED_BYTES) return false;
  const { bavail, bsize } = statfsSync(IN_MEMORY);
  if (bavail * bsize < NEEDED_BYTES) return false;
  const [, , type, options = ''] =
    readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .find(([, place]) => place === IN_MEMORY) ?? [];
  // Tests make programs of their own.
  return type === 'tmpfs' && !options.split(',').includes('noexec');
}

/** What a killed run has left would take memory until the machine is started again. */
function sweep(directory: string): void {
  for (const name of readdirSync(directory)) {
    const left = path.join(directory, name);
    const found = statSync(left, { throwIfNoEntry: false });
    if (found !== undefined && Date.now() - found.mtimeMs > FORGOTTEN_AFTER_MS)
      rmSync(left, { recursive: true, force: true });
  }
}

/**
 * Where tests put what they make: TMPDIR, or a directory in memory where there is room. An embedded database has a
 * thousand files, and ext4 takes 0.3 ms of CPU for each file that is made soon after others were deleted: ten times as
 * long as memory takes to copy one.
 */
export function temporaryDirectory(): string {
  if (process.env['TMPDIR'] !== undefined || !canBeUsed()) return tmpdir();
  const directory = `${IN_MEMORY}/aisec-test`;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  sweep(directory);
  return directory;
}
