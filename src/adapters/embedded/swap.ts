import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

import { flushDirectory } from '../files/publish.js';

/** Where a restored database lies while it is loaded; the next restore removes what a killed one has left. */
export function restoringDirectory(dataDir: string): string {
  return `${dataDir}.restoring`;
}

/** Where it lies when it was checked and only its name is missing. */
function readyDirectory(dataDir: string): string {
  return `${dataDir}.restored`;
}

/** Whether a swap was stopped between its two renames: then the database is the restored one. */
export function isSwapUnfinished(dataDir: string): boolean {
  return !existsSync(dataDir) && existsSync(readyDirectory(dataDir));
}

/** Gives the restored database its name. Under the lock of the directory; the next process that opens the database calls it, too. */
export function finishSwap(dataDir: string): void {
  if (!existsSync(readyDirectory(dataDir))) return;
  // Stopped before the database was renamed away: it stays, and must not be replaced when it is moved one day.
  if (existsSync(dataDir)) rmSync(restoringDirectory(dataDir), { recursive: true, force: true });
  renameSync(readyDirectory(dataDir), existsSync(dataDir) ? restoringDirectory(dataDir) : dataDir);
}

/**
 * Puts the restored database in place of the one that is there, which is kept. No file system exchanges two directories in
 * one step for Node, so the first rename says that the restored one is whole; killed after it, opening the database
 * continues. Under the lock of the directory.
 */
export async function swapDirectories(dataDir: string, before: string | undefined): Promise<void> {
  const parent = path.dirname(dataDir);
  renameSync(restoringDirectory(dataDir), readyDirectory(dataDir));
  await flushDirectory(parent);
  if (before !== undefined) {
    renameSync(dataDir, before);
    await flushDirectory(parent);
  }
  finishSwap(dataDir);
  await flushDirectory(parent);
}
