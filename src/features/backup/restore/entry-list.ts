import { join } from 'node:path';

import { withPrivateDirectory, writeTemporary } from '../../../adapters/files/private-directory.js';
import type { TocEntry } from '../contents/toc.js';

/** pg_restore reads the entries it is to take from a file; the callback gets the path. */
export async function withList<Result>(
  entries: readonly TocEntry[],
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  return withPrivateDirectory('aisec-restore-', async (directory) => {
    const path = join(directory, 'list');
    writeTemporary(path, entries.map(({ line }) => `${line}\n`).join(''));
    return use(path);
  });
}
