import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

import { throwIfInterrupted } from '../../base/interruption.js';

const CHUNK_BYTES = 1024 * 1024;

export interface Checksum {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Reads a file from the disk once, in flat memory. `onBytes` is told how many were read so far. */
export async function checksumOf(
  file: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Checksum> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    throwIfInterrupted(signal);
    hash.update(chunk);
    sizeBytes += chunk.length;
    onBytes(sizeBytes);
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
