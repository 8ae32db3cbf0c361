import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

import { AisecError } from '../../base/errors.js';
import { packageFile } from '../../base/package-file.js';

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
export async function emptyDatabaseTar(file = packageFile(ARCHIVE)): Promise<Buffer | undefined> {
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

const BLOCK = 512;
const [NAME, SIZE, TYPE, PREFIX] = [
  [0, 100],
  [124, 136],
  [156, 157],
  [345, 500],
] as const;

/** The engine ran when the archive was written, and said so. */
const LEFT_OUT = 'postmaster.pid';

/** Writes the files of such an archive into a directory; its names are the engine's own. */
export async function unpackTar(tar: Buffer, directory: string): Promise<void> {
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const field = ([from, to]: readonly [number, number]): string =>
      tar.toString('latin1', at + from, at + to).replace(/\0.*$/s, '');
    const name = path.join(directory, field(PREFIX), field(NAME));
    const size = Number.parseInt(field(SIZE), 8);
    if (field(TYPE) === '5') await mkdir(name, { recursive: true, mode: 0o700 });
    else if (path.basename(name) !== LEFT_OUT) {
      await mkdir(path.dirname(name), { recursive: true, mode: 0o700 });
      await writeFile(name, tar.subarray(at + BLOCK, at + BLOCK + size), { mode: 0o600 });
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
