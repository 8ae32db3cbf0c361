import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { AisecError, isAisecError } from '../../base/errors.js';
import { storeFlags, storeUrl } from '../../config/store-url.js';
import type { Checksum } from '../files/checksum.js';
import { withNewFile } from '../files/new-file.js';
import { publish } from '../files/publish.js';
import { describeObject, openObject } from './objects.js';
import { asking, type Store } from './store.js';

/** Of the file, where everything else is of the connection. */
const LOCAL_FAILURE: readonly string[] = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'];

function otherwise(store: Store, name: string, expected: Checksum, { sizeBytes }: Checksum): AisecError {
  return new AisecError('BACKUP_DAMAGED', `${storeUrl(store.place, name)} is damaged`, {
    detail:
      sizeBytes === expected.sizeBytes
        ? 'Its SHA-256 is not the one it should have.'
        : `It has ${sizeBytes} bytes and should have ${expected.sizeBytes}.`,
    hint: 'Use another backup, or another copy of this one.',
  });
}

/** Reads the object once, whatever it has. @throws AisecError BACKUP_UNKNOWN. */
async function receive(
  store: Store,
  name: string,
  target: Writable,
  onBytes: (bytes: number) => void,
): Promise<Checksum> {
  const opened = await openObject(store, name);
  if (opened === undefined)
    throw new AisecError('BACKUP_UNKNOWN', `there is no ${storeUrl(store.place, name)}`, {
      hint: `See what the store has: aisec backup list ${storeFlags(store.place)}`,
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
    await pipeline(opened.body, hashed, target, { signal: store.signal });
  }).catch((error: unknown) => {
    throw localFailure ?? error;
  });
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** What came twice, and is not what it should be: the object's fault, unless the way from the store changes it. */
async function faultOf(
  store: Store,
  name: string,
  expected: Checksum,
  [first, second]: readonly [Checksum, Checksum],
): Promise<AisecError> {
  const there = await describeObject(store, name);
  const isCutOnTheWay = second.sizeBytes !== there?.sizeBytes;
  if (isCutOnTheWay || first.sha256 !== second.sha256)
    return new AisecError('STORE_FAILED', `${storeUrl(store.place, name)} did not come whole`, {
      detail: isCutOnTheWay
        ? `${second.sizeBytes} bytes came of ${there?.sizeBytes ?? 'an object that is gone'}.`
        : 'It came twice with different contents.',
      hint: 'See what stands between this machine and the store, such as a proxy, and run the command again.',
    });
  return otherwise(store, name, expected, second);
}

/**
 * Reads the object, and once more when something else came: only what comes twice is held against it.
 *
 * @param read reads it once
 */
async function receiveRight(
  store: Store,
  name: string,
  expected: Checksum,
  read: () => Promise<Checksum>,
): Promise<void> {
  const isRight = ({ sizeBytes, sha256 }: Checksum): boolean =>
    sizeBytes === expected.sizeBytes && sha256 === expected.sha256;
  const first = await read();
  if (isRight(first)) return;
  const second = await read().catch((error: unknown) => {
    // Some stores take an object away whose damage a reading has shown.
    if (isAisecError(error, 'BACKUP_UNKNOWN')) throw otherwise(store, name, expected, first);
    throw error;
  });
  if (!isRight(second)) throw await faultOf(store, name, expected, [first, second]);
}

/** Reads a whole object, keeping nothing, and compares it. @throws AisecError BACKUP_DAMAGED, BACKUP_UNKNOWN. */
export async function readBack(
  store: Store,
  name: string,
  expected: Checksum,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<void> {
  const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });
  await receiveRight(store, name, expected, () => receive(store, name, nowhere(), onBytes));
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
  try {
    await receiveRight(store, name, expected, async () => {
      await rm(partial, { force: true });
      return withNewFile(partial, (target) => receive(store, name, target, onBytes));
    });
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await publish(partial, file);
}
