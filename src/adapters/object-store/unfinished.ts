import type { Part } from '@aws-sdk/client-s3';

import { AisecError, isAisecError } from '../../base/errors.js';
import { objectKey, statusOf } from './objects.js';
import { asking, type Store } from './store.js';

/** One that was stopped half-way: its parts are not listed as objects, and cost as much. */
export interface UnfinishedUpload {
  readonly name: string;
  readonly uploadId: string;
  readonly begunAt: Date;
}

/** Of a store that does not know them. */
const UNKNOWN_STATUS: readonly (number | undefined)[] = [405, 501];

/**
 * The unfinished uploads of names that begin so; the refusal where the key may not list them or the store cannot, which
 * does not change by itself.
 *
 * @throws AisecError STORE_UNREACHABLE, STORE_FAILED, which may pass.
 */
export async function listUnfinished(store: Store, start: string): Promise<readonly UnfinishedUpload[] | AisecError> {
  const { sdk, client, place, signal } = store;
  const within = { Bucket: place.bucket, Prefix: objectKey(store, start) };
  const found: UnfinishedUpload[] = [];
  let marker: { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined } = {};
  try {
    return await asking(store, 'list unfinished uploads', async () => {
      for (;;) {
        const command = new sdk.ListMultipartUploadsCommand({ ...within, ...marker });
        const page = await client.send(command, { abortSignal: signal });
        for (const { Key = '', UploadId, Initiated } of page.Uploads ?? [])
          if (UploadId !== undefined)
            found.push({ name: Key.slice(place.prefix.length), uploadId: UploadId, begunAt: Initiated ?? new Date() });
        if (page.IsTruncated !== true) return found;
        marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      }
    });
  } catch (error) {
    if (!isAisecError(error)) throw error;
    if (error.code === 'STORE_AUTH' || UNKNOWN_STATUS.includes(statusOf(error.cause))) return error;
    throw error;
  }
}

/** Removes the parts of an upload. */
export async function removeUnfinished(store: Store, { name, uploadId }: UnfinishedUpload): Promise<void> {
  const { sdk, client, place, signal } = store;
  const id = { Bucket: place.bucket, Key: objectKey(store, name), UploadId: uploadId };
  await asking(store, 'remove unfinished uploads', () =>
    client.send(new sdk.AbortMultipartUploadCommand(id), { abortSignal: signal }),
  );
}

/**
 * The newest upload of this very name that was stopped half-way. Its id is undefined where there is none, and the answer
 * where the store does not list uploads, or the key may not: a copy can do without.
 */
export async function findUnfinished(
  store: Store,
  name: string,
): Promise<{ readonly uploadId: string | undefined } | undefined> {
  const found = await listUnfinished(store, name).catch(() => undefined);
  if (found === undefined || found instanceof AisecError) return undefined;
  const [newest] = found
    .filter((each) => each.name === name)
    .toSorted((a, b) => b.begunAt.getTime() - a.begunAt.getTime());
  return { uploadId: newest?.uploadId };
}

/** What the store has of an upload, by the number of the part; nothing where the key may not list them. */
export async function listParts(
  { sdk, client, signal }: Store,
  id: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
): Promise<ReadonlyMap<number, Part>> {
  const parts = new Map<number, Part>();
  try {
    // The SDK's own pages go by the marker, which stores give on the last page, too.
    let PartNumberMarker: string | undefined;
    do {
      const page = await client.send(new sdk.ListPartsCommand({ ...id, PartNumberMarker }), { abortSignal: signal });
      for (const part of page.Parts ?? []) parts.set(part.PartNumber ?? 0, part);
      PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    } while (PartNumberMarker !== undefined);
  } catch {
    parts.clear();
  }
  return parts;
}
