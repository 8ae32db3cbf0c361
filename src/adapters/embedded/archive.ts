import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

import { writeWhole } from '../files/write-whole.js';
import type { OpenOptions } from '../postgres/open-options.js';
import { openEngine, startPGlite, type OpenedEmbedded } from './embedded.js';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

const HASH_BYTES = 32;
/** Measured: the fastest level makes a file of a tenth, and is read in a fifth of the time that the migrations take. */
const FASTEST = 1;

/** Writes the data directory of a running engine to a file, whole or not at all. */
export async function writeArchive({ engine }: Pick<OpenedEmbedded, 'engine'>, file: string): Promise<void> {
  await engine.exec('checkpoint');
  const tar = Buffer.from(await (await engine.dumpDataDir('none')).arrayBuffer());
  const content = await compress(tar, { level: FASTEST });
  writeWhole(file, Buffer.concat([createHash('sha256').update(content).digest(), content]));
}

/** Undefined for a file that is missing or damaged: the engine would end the process over a damaged one. */
async function readArchive(file: string): Promise<Buffer<ArrayBuffer> | undefined> {
  const archive = await readFile(file).catch(() => undefined);
  if (archive === undefined) return undefined;
  const content = archive.subarray(HASH_BYTES);
  if (!createHash('sha256').update(content).digest().equals(archive.subarray(0, HASH_BYTES))) return undefined;
  // gzip ends with the size: in pieces, to be copied together, it takes several times as long.
  return decompress(content, { chunkSize: content.readUInt32LE(content.length - 4) });
}

/** A database in memory that starts as `writeArchive` found it; undefined without such a file. */
export async function openArchive(
  file: string,
  options: Omit<OpenOptions, 'embedded'>,
): Promise<OpenedEmbedded | undefined> {
  const tar = await readArchive(file);
  if (tar === undefined) return undefined;
  const engine = await startPGlite(undefined, { snapshot: tar });
  return { engine, session: await openEngine(engine, 'embedded database in memory', options, () => undefined) };
}
