import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';

import { AisecError } from '../../base/errors.js';
import type { Checksum } from '../files/checksum.js';

export interface Upload {
  /** A local path. */
  readonly file: string;
  readonly name: string;
  /** What the file was proven to have; what is sent must have it, too. */
  readonly checksum: Checksum;
  /** Downloads it again and compares; costs the traffic. */
  readonly isReadBack: boolean;
  /** Whose it is, kept with the object; ASCII. */
  readonly origin?: string | undefined;
  /** How much of it is there so far. */
  readonly onBytes: (bytes: number) => void;
  /** Default: `partSizeBytes`. At least 5 MiB. */
  readonly partBytes?: number;
}

/** What is kept with an object, and is not known of it otherwise. */
export function metadataOf({ checksum, origin }: Upload): {
  readonly Metadata: Record<string, string>;
  readonly ContentType: string;
} {
  const Metadata = { sha256: checksum.sha256, ...(origin !== undefined && { origin }) };
  return { Metadata, ContentType: 'application/octet-stream' };
}

async function readPart(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const part = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(part, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return part.subarray(0, filled);
}

/**
 * The parts of a file in order, with the check at the end that it is still the file that was proven.
 *
 * @throws AisecError BACKUP_INVALID.
 */
export async function* partsOf({ file, checksum }: Upload, partBytes: number): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const handle = await open(file, 'r');
  try {
    for (let position = 0; position === 0 || position < checksum.sizeBytes; position += partBytes) {
      const part = await readPart(handle, position, Math.min(partBytes, checksum.sizeBytes - position));
      hash.update(part);
      yield part;
    }
  } finally {
    await handle.close();
  }
  if (hash.digest('hex') === checksum.sha256) return;
  throw new AisecError('BACKUP_INVALID', `"${file}" changed while it was uploaded`, {
    detail: 'Its SHA-256 is not the one its manifest has; the store keeps nothing of it.',
    hint: 'See whether the disk fails: aisec backup verify; then make a new backup.',
  });
}
