import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, type FileHandle } from 'node:fs/promises';

import type { CompletedPart } from '@aws-sdk/client-s3';

import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import { throwIfInterrupted } from '../../base/interruption.js';
import { storeUrl } from '../../config/store-url.js';
import type { Checksum } from '../files/checksum.js';
import { readBack } from './download.js';
import { describeObject, objectKey, removeObject } from './objects.js';
import { asking, type Store } from './store.js';

export interface Upload {
  /** A local path. */
  readonly file: string;
  readonly name: string;
  /** What the file was proven to have; what is sent must have it, too. */
  readonly checksum: Checksum;
  /** Downloads it again and compares; costs the traffic. */
  readonly isReadBack: boolean;
  /** How much of it is there so far. */
  readonly onBytes: (bytes: number) => void;
  /** Default: `partSizeBytes`. At least 5 MiB. */
  readonly partBytes?: number;
}

const MEBIBYTE = 1024 * 1024;
const LEAST_PART_BYTES = 32 * MEBIBYTE;
/** Amazon takes 10,000 parts, others 1,000. */
const MOST_PARTS = 900;
/** Each is in memory as a whole, so that the store can check it by its signature and it can be sent again. */
const PARTS_AT_ONCE = 2;
const CLEAN_UP_MS = 10_000;

export function partSizeBytes(sizeBytes: number): number {
  return Math.max(LEAST_PART_BYTES, Math.ceil(sizeBytes / MOST_PARTS));
}

/** What is wrong here is no trouble of the store, which may pass. @throws AisecError BACKUP_INVALID. */
async function requireReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new AisecError('BACKUP_INVALID', `"${file}" ${isMissing ? 'is missing' : 'could not be read'}`, {
      detail: `${messageOf(error)}.`,
      hint: isMissing
        ? 'Bring it back, or make a new backup: aisec backup'
        : 'Run it as a user that may read the file.',
      cause: error,
    });
  }
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

/** The parts of a file in order, with the check at the end that it is still the file that was proven. */
async function* partsOf({ file, checksum }: Upload, partBytes: number): AsyncGenerator<Buffer> {
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

async function putWhole(store: Store, upload: Upload): Promise<void> {
  const { sdk, client, place, signal } = store;
  for await (const body of partsOf(upload, Math.max(1, upload.checksum.sizeBytes))) {
    const command = new sdk.PutObjectCommand({
      Bucket: place.bucket,
      Key: objectKey(store, upload.name),
      Body: body,
      Metadata: { sha256: upload.checksum.sha256 },
      ContentType: 'application/octet-stream',
    });
    await client.send(command, { abortSignal: signal });
    upload.onBytes(body.length);
  }
}

/** The first that fails ends all of them, and the store forgets what it has of them. */
async function putParts(store: Store, upload: Upload, partBytes: number): Promise<void> {
  const { sdk, client, place } = store;
  const target = { Bucket: place.bucket, Key: objectKey(store, upload.name) };
  const begun = await client.send(
    new sdk.CreateMultipartUploadCommand({
      ...target,
      Metadata: { sha256: upload.checksum.sha256 },
      ContentType: 'application/octet-stream',
    }),
    { abortSignal: store.signal },
  );
  const id = { ...target, UploadId: begun.UploadId };
  const failure = new AbortController();
  const abortSignal = AbortSignal.any([store.signal, failure.signal]);
  const parts = partsOf(upload, partBytes);
  const done: CompletedPart[] = [];
  let [begunParts, sentBytes] = [0, 0];
  const send = async (): Promise<void> => {
    for await (const body of { [Symbol.asyncIterator]: () => ({ next: () => parts.next() }) }) {
      abortSignal.throwIfAborted();
      begunParts += 1;
      const PartNumber = begunParts;
      const command = new sdk.UploadPartCommand({ ...id, PartNumber, Body: body });
      const { ETag } = await client.send(command, { abortSignal });
      done.push({ PartNumber, ETag });
      sentBytes += body.length;
      upload.onBytes(sentBytes);
    }
  };
  try {
    await untilAllEnd(Array.from({ length: PARTS_AT_ONCE }, send), () => failure.abort());
    throwIfInterrupted(store.signal);
    const Parts = done.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...id, MultipartUpload: { Parts } }), { abortSignal });
  } catch (error) {
    // The run may be stopped by now, and has time for one more request. What stays is removed by the next run.
    await client
      .send(new sdk.AbortMultipartUploadCommand(id), { abortSignal: AbortSignal.timeout(CLEAN_UP_MS) })
      .catch(() => undefined);
    throw error;
  } finally {
    await parts.return(undefined);
  }
}

/** Rejects with the first failure, once all have ended. */
async function untilAllEnd(work: readonly Promise<void>[], onFailure: () => void): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(
    work.map((each) =>
      each.catch((error: unknown) => {
        failures.push(error);
        onFailure();
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}

async function checkUploaded(store: Store, { name, checksum, isReadBack }: Upload): Promise<void> {
  const found = await describeObject(store, name);
  const fault =
    found === undefined
      ? 'It is not there.'
      : found.sizeBytes !== checksum.sizeBytes
        ? `It has ${found.sizeBytes} bytes instead of ${checksum.sizeBytes}.`
        : found.sha256 !== checksum.sha256
          ? 'It does not have the SHA-256 it was sent with.'
          : undefined;
  if (fault === undefined) return isReadBack ? readBack(store, name, checksum) : undefined;
  throw new AisecError('BACKUP_INVALID', `${storeUrl(store.place, name)} is not what was uploaded`, {
    detail: fault,
    hint: 'Upload it again; the local backup is good.',
  });
}

/**
 * Uploads a file, in parts when it is large, and checks what the store has then. An object appears whole or not at all;
 * one that is not what it should be is removed again.
 *
 * @throws AisecError STORE_UNREACHABLE, STORE_AUTH, STORE_MISSING, DISK_FULL, STORE_FAILED; BACKUP_INVALID.
 */
export async function uploadFile(store: Store, upload: Upload): Promise<void> {
  await requireReadable(upload.file);
  const partBytes = upload.partBytes ?? partSizeBytes(upload.checksum.sizeBytes);
  try {
    await asking(store, `upload ${upload.name}`, () =>
      upload.checksum.sizeBytes <= partBytes ? putWhole(store, upload) : putParts(store, upload, partBytes),
    );
    await checkUploaded(store, upload);
  } catch (error) {
    if (isAisecError(error, 'BACKUP_INVALID', 'BACKUP_DAMAGED'))
      await removeObject(store, upload.name).catch(() => undefined);
    throw error;
  }
}
