import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { flush, flushFolder } from './publish.js';

/** Makes a folder with everything in it survive a crash of the machine. */
export async function flushTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) await flushTree(name);
    else if (entry.isFile()) await flush(name, 'r+');
  }
  await flushFolder(folder);
}
