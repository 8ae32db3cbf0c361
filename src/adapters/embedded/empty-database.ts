import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

import { AisecError } from '../../base/errors.js';
import { packageFile } from '../../base/package-file.js';
import { tarEntries } from './tar-entries.js';

const decompress = promisify(brotliDecompress);

/** The archive begins with the SHA-256 of the rest, and that with a key of the build and the size of the tar archive. */
const [HASH_BYTES, KEY_BYTES, SIZE_BYTES] = [32, 32, 4];

/** Written by `npm run build` (build-empty-database.ts), and in the package. */
const ARCHIVE = 'dist/bundle/empty-database.tar.br';

/**
 * The tar archive of an empty database; undefined in a tree that was not built.
 *
 * @throws AisecError EMBEDDED_FAILED when the archive is damaged: the engine would end the process over it.
 */
export async function emptyDatabaseTar(file = packageFile(ARCHIVE)): Promise<Buffer<ArrayBuffer> | undefined> {
  let archive: Buffer;
  try {
    archive = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const content = archive.subarray(HASH_BYTES);
  if (!createHash('sha256').update(content).digest().equals(archive.subarray(0, HASH_BYTES)))
    throw new AisecError('EMBEDDED_FAILED', 'could not create the embedded database', {
      detail: `${file} of this installation of aisec is damaged.`,
      hint: 'Install aisec again.',
    });
  // Into memory of its size: in pieces, to be copied together, it takes several times as long.
  return decompress(content.subarray(KEY_BYTES + SIZE_BYTES), { chunkSize: content.readUInt32LE(KEY_BYTES) });
}

/** The engine ran when the archive was written, and said so. */
const LEFT_OUT = 'postmaster.pid';

/** Writes the files of such an archive into a directory; its names are the engine's own. */
export async function unpackTar(tar: Buffer<ArrayBuffer>, directory: string): Promise<void> {
  for (const { name, isDirectory, content } of tarEntries(tar)) {
    const file = path.join(directory, name);
    if (isDirectory) await mkdir(file, { recursive: true, mode: 0o700 });
    else if (path.basename(file) !== LEFT_OUT) {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(file, content, { mode: 0o600 });
    }
  }
}
