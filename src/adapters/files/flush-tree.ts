import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { flush, flushDirectory } from './publish.js';

/** Makes a directory with everything in it survive a crash of the machine. */
export async function flushTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) {
    const name = path.join(directory, entry.name);
    if (entry.isDirectory()) await flushTree(name);
    else if (entry.isFile()) await flush(name, 'r+');
  }
  await flushDirectory(directory);
}
