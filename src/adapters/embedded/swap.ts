import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

import { flushFolder } from '../files/publish.js';

/** Where a restored database lies while it is loaded; the next restore removes what a killed one has left. */
export function restoringFolder(dataDir: string): string {
  return `${dataDir}.restoring`;
}

/** Where it lies when it was checked and only its name is missing. */
function readyFolder(dataDir: string): string {
  return `${dataDir}.restored`;
}

/** Whether a swap was stopped between its two renames: then the database is the restored one. */
export function isSwapUnfinished(dataDir: string): boolean {
  return !existsSync(dataDir) && existsSync(readyFolder(dataDir));
}

/** Gives the restored database its name. Under the lock of the folder; whoever opens the database next calls it, too. */
export function finishSwap(dataDir: string): void {
  if (!existsSync(readyFolder(dataDir))) return;
  // Stopped before the database was renamed away: it stays, and must not be replaced when somebody moves it one day.
  if (existsSync(dataDir)) rmSync(restoringFolder(dataDir), { recursive: true, force: true });
  renameSync(readyFolder(dataDir), existsSync(dataDir) ? restoringFolder(dataDir) : dataDir);
}

/**
 * Puts the restored database in place of the one that is there, which is kept. No file system exchanges two folders in
 * one step for Node, so the first rename says that the restored one is whole; killed after it, opening the database
 * goes on. Under the lock of the folder.
 */
export async function swapFolders(dataDir: string, before: string | undefined): Promise<void> {
  const parent = path.dirname(dataDir);
  renameSync(restoringFolder(dataDir), readyFolder(dataDir));
  await flushFolder(parent);
  if (before !== undefined) {
    renameSync(dataDir, before);
    await flushFolder(parent);
  }
  finishSwap(dataDir);
  await flushFolder(parent);
}
