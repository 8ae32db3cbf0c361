import { join } from 'node:path/posix';

import type { MemoryFS, PGlite } from '@electric-sql/pglite';

import type { EngineModule } from './engine-files.js';
import { tarEntries } from './tar-entries.js';

/** PGlite's PGDATA. */
const DATA_DIRECTORY = '/pglite/data';

/**
 * The file system of an engine in memory, with a data directory from a tar archive, whose memory it takes over: PGlite's own
 * way copies every byte three times and looks every directory up for every file in it, for a quarter of a start.
 */
export function memoryFileSystem(Base: typeof MemoryFS, tar: Buffer<ArrayBuffer>): MemoryFS {
  class SnapshotFileSystem extends Base {
    override initialSyncFs(): Promise<void> {
      const { FS: fs } = (this.pg as PGlite).Module as unknown as EngineModule;
      fs.mkdirTree(DATA_DIRECTORY);
      for (const { name, isDirectory, content } of tarEntries(tar)) {
        const file = join(DATA_DIRECTORY, name);
        if (isDirectory) fs.mkdirTree(file);
        else fs.writeFile(file, content, { canOwn: true });
      }
      return Promise.resolve();
    }
  }
  return new SnapshotFileSystem();
}
