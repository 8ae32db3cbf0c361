import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { shellWord } from '../../base/aisec-command.js';
import { AisecError } from '../../base/errors.js';
import { storeUrl } from '../../config/store-url.js';
import type { Checksum } from '../files/checksum.js';
import { withNewFile } from '../files/new-file.js';
import { publish } from '../files/publish.js';
import { openObject } from './objects.js';
import { asking, type Store } from './store.js';

/** Of the file, where everything else is of the connection. */
const LOCAL_FAILURE: readonly string[] = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];

function invalid(store: Store, name: string, detail: string): AisecError {
  return new AisecError('BACKUP_DAMAGED', `${storeUrl(store.place, name)} is damaged`, {
    detail,
    hint: 'Use another backup, or another copy of this one.',
  });
}

async function receive(
  store: Store,
  name: string,
  expected: Checksum,
  target: Writable,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const body = await openObject(store, name);
  if (body === undefined)
    throw new AisecError('BACKUP_UNKNOWN', `there is no ${storeUrl(store.place, name)}`, {
      hint: `See what the store has: aisec backup list --store ${shellWord(storeUrl(store.place))}`,
    });
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let localFailure: Error | undefined;
  async function* hashed(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      onBytes(sizeBytes);
      yield chunk;
    }
  }
  await asking(store, `download ${name}`, async () => {
    target.once('error', (error: NodeJS.ErrnoException) => {
      if (LOCAL_FAILURE.includes(error.code ?? '')) localFailure = error;
    });
    await pipeline(body, hashed, target, { signal: store.signal });
  }).catch((error: unknown) => {
    throw localFailure ?? error;
  });
  if (sizeBytes !== expected.sizeBytes)
    throw invalid(store, name, `It has ${sizeBytes} bytes and should have ${expected.sizeBytes}.`);
  if (hash.digest('hex') !== expected.sha256) throw invalid(store, name, 'Its SHA-256 is not the one it should have.');
}

/** Reads a whole object, keeping nothing, and compares it. @throws AisecError BACKUP_DAMAGED, BACKUP_UNKNOWN. */
export async function readBack(
  store: Store,
  name: string,
  expected: Checksum,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  await receive(store, name, expected, nowhere, onBytes);
}

/**
 * Downloads an object to a new file that only its owner can read. It has its name only when it is whole and right.
 *
 * @throws AisecError BACKUP_DAMAGED, BACKUP_UNKNOWN; what the file system throws for want of space.
 */
export async function downloadFile(
  store: Store,
  name: string,
  expected: Checksum,
  file: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<void> {
  const partial = `${file}.partial`;
  await withNewFile(partial, (target) => receive(store, name, expected, target, onBytes));
  await publish(partial, file);
}
