import { objectKey } from './objects.js';
import { asking, type Store } from './store.js';

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
  const Bucket = place.bucket;
  return asking(store, 'remove unfinished uploads', async () => {
    const removed: string[] = [];
    let marker: { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined } = {};
    for (;;) {
      const command = new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: objectKey(store, start), ...marker });
      const page = await client.send(command, { abortSignal: signal });
      for (const { Key = '', UploadId, Initiated = new Date() } of page.Uploads ?? []) {
        const name = Key.slice(place.prefix.length);
        if (UploadId === undefined || !isOurs(name, Initiated)) continue;
        await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: signal });
        removed.push(name);
      }
      if (page.IsTruncated !== true) return removed;
      marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  });
}
