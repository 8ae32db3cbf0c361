import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { describe } from 'vitest';

const FILLER = 'filler';

/** Like `describe`, for what mounts a file system. Skipped where this user cannot; with CI set it runs, and fails. */
export function describeOnSmallDisk(title: string, tests: () => void): void {
  describe.skipIf(process.getuid?.() !== 0 && process.env['CI'] === undefined)(`${title} (needs a tmpfs)`, tests);
}

/** Runs the callback while a new directory is a file system of so many bytes. */
export async function withSmallDisk(directory: string, sizeBytes: number, use: () => Promise<void>): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', directory], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) throw new Error(`no tmpfs could be mounted\n${mounted.stderr}`);
  try {
    await use();
  } finally {
    spawnSync('umount', ['--lazy', directory]);
  }
}

/** Takes all of the space but this. */
export function fill(disk: string, leftBytes = 0): void {
  const { bavail, bsize } = statfsSync(disk);
  const blocks = bavail - Math.ceil(leftBytes / bsize);
  try {
    writeFileSync(path.join(disk, FILLER), Buffer.alloc(blocks * bsize));
  } catch (error) {
    // What is written there meanwhile has taken the rest.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** What is on it, less what `fill` has put there. */
export function namesOn(disk: string): readonly string[] {
  return readdirSync(disk).filter((name) => name !== FILLER);
}
