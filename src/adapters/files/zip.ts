import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { ZipFile } from 'yazl';

import { withNewFile } from './new-file.js';

export interface ZipEntry {
  readonly name: string;
  /** Begun when its turn has come, after the entries before it. */
  readonly content: () => AsyncIterable<string>;
}

export interface WrittenEntry {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of what is in it, not compressed. */
  readonly sha256: string;
}

/** Of 1 to 9: a tenth larger than the default, in half of its time. */
const COMPRESSION = 3;
const PIECE_CHARACTERS = 64 * 1024;

async function* measured({ name, content }: ZipEntry, onDone: (entry: WrittenEntry) => void): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let piece = '';
  const take = (): Buffer => {
    const bytes = Buffer.from(piece, 'utf8');
    piece = '';
    hash.update(bytes);
    sizeBytes += bytes.length;
    return bytes;
  };
  for await (const text of content()) {
    piece += text;
    if (piece.length >= PIECE_CHARACTERS) yield take();
  }
  if (piece !== '') yield take();
  onDone({ name, sizeBytes, sha256: hash.digest('hex') });
}

/**
 * Writes a ZIP file that was not there and that only its owner can read, one entry after the other, each streamed.
 *
 * @param onDone called when an entry is complete, before the next one is begun
 * @throws what an entry's content throws, and what the file system does; the file is gone again then.
 */
export async function writeZip(
  file: string,
  entries: readonly ZipEntry[],
  onDone: (entry: WrittenEntry) => void,
  signal: AbortSignal,
): Promise<void> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  zip.on('error', (error: Error) => output.destroy(error));
  for (const entry of entries)
    zip.addReadStreamLazy(entry.name, { mode: 0o100600, compressionLevel: COMPRESSION }, (done) => {
      done(null, Readable.from(measured(entry, onDone), { objectMode: false }));
    });
  zip.end();
  await withNewFile(file, (target) => pipeline(output, target, { signal }));
}
