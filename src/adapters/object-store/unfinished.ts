import type { MultipartUpload, Part } from '@aws-sdk/client-s3';

import { objectKey } from './objects.js';
import { asking, type Store } from './store.js';

async function* unfinishedOf(store: Store, start: string): AsyncGenerator<MultipartUpload> {
  const { sdk, client, place, signal } = store;
  let marker: { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const within = { Bucket: place.bucket, Prefix: objectKey(store, start) };
    const page = await client.send(new sdk.ListMultipartUploadsCommand({ ...within, ...marker }), {
      abortSignal: signal,
    });
    yield* page.Uploads ?? [];
    if (page.IsTruncated !== true) return;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

/**
 * Removes the parts of uploads that were stopped half-way: they are not listed as objects, and cost as much. Returns
 * the names the uploads would have got.
 *
 * @param isOurs by the name of the object, and when its upload was begun
 */
export async function removeUnfinished(
  store: Store,
  start: string,
  isOurs: (name: string, begunAt: Date) => boolean,
): Promise<readonly string[]> {
  const { sdk, client, place, signal } = store;
  return asking(store, 'remove unfinished uploads', async () => {
    const removed: string[] = [];
    for await (const { Key = '', UploadId, Initiated = new Date() } of unfinishedOf(store, start)) {
      const name = Key.slice(place.prefix.length);
      if (UploadId === undefined || !isOurs(name, Initiated)) continue;
      const command = new sdk.AbortMultipartUploadCommand({ Bucket: place.bucket, Key, UploadId });
      await client.send(command, { abortSignal: signal });
      removed.push(name);
    }
    return removed;
  });
}

/**
 * The newest upload of this very name that was stopped half-way. Its id is undefined where there is none, and the answer
 * where the store does not list uploads, or the key may not: a copy can do without.
 */
export async function findUnfinished(
  store: Store,
  name: string,
): Promise<{ readonly uploadId: string | undefined } | undefined> {
  const key = objectKey(store, name);
  try {
    const found: MultipartUpload[] = [];
    for await (const each of unfinishedOf(store, name)) if (each.Key === key) found.push(each);
    const [newest] = found.toSorted((a, b) => (b.Initiated?.getTime() ?? 0) - (a.Initiated?.getTime() ?? 0));
    return { uploadId: newest?.UploadId };
  } catch {
    return undefined;
  }
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
