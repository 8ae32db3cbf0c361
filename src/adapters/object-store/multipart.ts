import { createHash } from 'node:crypto';

import type { CompletedPart, Part } from '@aws-sdk/client-s3';

import { isAisecError } from '../../base/errors.js';
import { throwIfInterrupted } from '../../base/interruption.js';
import { metadataOf, partsOf, type Upload } from './file-parts.js';
import { objectKey } from './objects.js';
import type { Store } from './store.js';
import { findUnfinished, listParts } from './unfinished.js';

/** Each is in memory as a whole, so that the store can check it by its signature and it can be sent again. */
const PARTS_AT_ONCE = 2;
const CLEAN_UP_MS = 10_000;

/** An upload that is under way in the store. */
interface Begun {
  readonly id: { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined };
  /** What an earlier run has sent of it, by number. */
  readonly there: ReadonlyMap<number, Part>;
  /** Whether a next run would find it again. */
  readonly canBeFound: boolean;
}

async function begin(store: Store, upload: Upload, isContinued: boolean): Promise<Begun> {
  const { sdk, client, place, signal } = store;
  const target = { Bucket: place.bucket, Key: objectKey(store, upload.name) };
  const found = await findUnfinished(store, upload.name);
  if (isContinued && found?.uploadId !== undefined) {
    const id = { ...target, UploadId: found.uploadId };
    return { id, there: await listParts(store, id), canBeFound: true };
  }
  const command = new sdk.CreateMultipartUploadCommand({ ...target, ...metadataOf(upload) });
  const { UploadId } = await client.send(command, { abortSignal: signal });
  return { id: { ...target, UploadId }, there: new Map(), canBeFound: found !== undefined };
}

/** Of a store whose ETags are no MD5, such as one that encrypts, no part is known again, and all are sent. */
function isThere(part: Part | undefined, body: Buffer): boolean {
  if (part?.Size !== body.length) return false;
  return part.ETag?.replaceAll('"', '') === createHash('md5').update(body).digest('hex');
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

async function sendParts(store: Store, upload: Upload, partBytes: number, { id, there }: Begun): Promise<void> {
  const { sdk, client } = store;
  const failure = new AbortController();
  const abortSignal = AbortSignal.any([store.signal, failure.signal]);
  const parts = partsOf(upload, partBytes);
  const done: CompletedPart[] = [];
  let [begunParts, doneBytes] = [0, 0];
  const send = async (): Promise<void> => {
    for await (const body of { [Symbol.asyncIterator]: () => ({ next: () => parts.next() }) }) {
      abortSignal.throwIfAborted();
      begunParts += 1;
      const PartNumber = begunParts;
      const part = there.get(PartNumber);
      const command = new sdk.UploadPartCommand({ ...id, PartNumber, Body: body });
      const { ETag } = isThere(part, body) ? { ...part } : await client.send(command, { abortSignal });
      done.push({ PartNumber, ETag });
      doneBytes += body.length;
      upload.onBytes(doneBytes);
    }
  };
  try {
    await untilAllEnd(Array.from({ length: PARTS_AT_ONCE }, send), () => failure.abort());
  } finally {
    await parts.return(undefined);
  }
  throwIfInterrupted(store.signal);
  const Parts = done.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
  const complete = new sdk.CompleteMultipartUploadCommand({ ...id, MultipartUpload: { Parts } });
  await store.patientClient.send(complete, { abortSignal });
}

/**
 * Sends a file in parts, but for those that a run that was stopped has sent. The first part that fails ends all of them. What is
 * there stays for the next try, unless the file is another one or the store does not list uploads.
 *
 * @param isContinued false: from the beginning
 */
export async function putParts(store: Store, upload: Upload, partBytes: number, isContinued = true): Promise<void> {
  const { sdk, client } = store;
  const begun = await begin(store, upload, isContinued);
  try {
    await sendParts(store, upload, partBytes, begun);
  } catch (error) {
    // Another run continued it, too, and was first, or removed it.
    if (error instanceof sdk.NoSuchUpload && isContinued) return putParts(store, upload, partBytes, false);
    if (!begun.canBeFound || isAisecError(error, 'BACKUP_INVALID'))
      // The run may be stopped by now, and has time for one more request.
      await client
        .send(new sdk.AbortMultipartUploadCommand(begun.id), { abortSignal: AbortSignal.timeout(CLEAN_UP_MS) })
        .catch(() => undefined);
    throw error;
  }
}
