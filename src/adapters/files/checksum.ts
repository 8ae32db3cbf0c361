import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

import { throwIfInterrupted } from '../../base/interruption.js';

const CHUNK_BYTES = 256 * 1024;

export interface Checksum {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Reads a file from the disk once. `onBytes` is called with how many were read so far.
 *
 * Two buffers in turn, one being read while the other is hashed: a stream takes a new one for each piece, and two to four
 * times as long (110 MB: 0.23 to 0.40 s, and 0.10 to 0.12 s so).
 */
export async function checksumOf(
  file: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Checksum> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await open(file);
  let [full, empty] = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
  let reading = handle.read(empty, 0, CHUNK_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) break;
      throwIfInterrupted(signal);
      [full, empty] = [empty, full];
      reading = handle.read(empty, 0, CHUNK_BYTES);
      hash.update(full.subarray(0, bytesRead));
      sizeBytes += bytesRead;
      onBytes(sizeBytes);
    }
  } finally {
    await reading.catch(() => undefined);
    await handle.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
