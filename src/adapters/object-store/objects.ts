import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';

import { asking, type Store } from './store.js';

/** An object in the directory of a store. */
export interface StoredObject {
  /** Without the directory. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Another one after each change of it. */
  readonly etag: string;
}

/** Where the checksum of a whole object is kept, since an ETag is not one. */
const SHA256 = 'sha256';

export function objectKey({ place }: Store, name: string): string {
  return `${place.prefix}${name}`;
}

/** The objects whose names begin so; those in directories below are left out. @throws AisecError as `storeError`. */
export async function listObjects(store: Store, start: string): Promise<readonly StoredObject[]> {
  const { sdk, client, place, signal } = store;
  return asking(store, 'list the backups', async () => {
    const found: StoredObject[] = [];
    let token: string | undefined;
    do {
      const page = await client.send(
        new sdk.ListObjectsV2Command({
          Bucket: place.bucket,
          Prefix: objectKey(store, start),
          Delimiter: '/',
          ContinuationToken: token,
        }),
        { abortSignal: signal },
      );
      for (const { Key, Size, ETag } of page.Contents ?? [])
        if (Key !== undefined && Key !== place.prefix)
          found.push({ name: Key.slice(place.prefix.length), sizeBytes: Size ?? 0, etag: ETag ?? '' });
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return found;
  });
}

/** Size and the checksum it was uploaded with; undefined when there is no such object. */
export async function describeObject(
  store: Store,
  name: string,
): Promise<{ readonly sizeBytes: number; readonly sha256: string | undefined } | undefined> {
  const { sdk, client, place, signal } = store;
  return asking(store, `look at ${name}`, async () => {
    try {
      const command = new sdk.HeadObjectCommand({ Bucket: place.bucket, Key: objectKey(store, name) });
      const head = await client.send(command, { abortSignal: signal });
      return { sizeBytes: head.ContentLength ?? 0, sha256: head.Metadata?.[SHA256] };
    } catch (error) {
      if (error instanceof sdk.NotFound) return undefined;
      throw error;
    }
  });
}

/** The bytes of an object as they come; undefined when there is none. */
export async function openObject(store: Store, name: string): Promise<Readable | undefined> {
  const { sdk, client, place, signal } = store;
  return asking(store, `read ${name}`, async () => {
    try {
      const command = new sdk.GetObjectCommand({ Bucket: place.bucket, Key: objectKey(store, name) });
      // On Node it is always one.
      return (await client.send(command, { abortSignal: signal })).Body as Readable | undefined;
    } catch (error) {
      if (error instanceof sdk.NoSuchKey) return undefined;
      throw error;
    }
  });
}

/** A small object as text; undefined when there is none. */
export async function readObject(store: Store, name: string): Promise<string | undefined> {
  const body = await openObject(store, name);
  if (body === undefined) return undefined;
  return asking(store, `read ${name}`, async () => (await buffer(body)).toString('utf8'));
}

/** A small object, written whole or not at all. */
export async function writeObject(store: Store, name: string, text: string): Promise<void> {
  const { sdk, client, place, signal } = store;
  await asking(store, `write ${name}`, () =>
    client.send(
      new sdk.PutObjectCommand({
        Bucket: place.bucket,
        Key: objectKey(store, name),
        Body: text,
        ContentType: 'application/json',
      }),
      { abortSignal: signal },
    ),
  );
}

/** One that is not there is no error. One request each: deleting many at once needs a checksum not every store takes. */
export async function removeObject(store: Store, name: string): Promise<void> {
  const { sdk, client, place, signal } = store;
  await asking(store, `remove ${name}`, () =>
    client.send(new sdk.DeleteObjectCommand({ Bucket: place.bucket, Key: objectKey(store, name) }), {
      abortSignal: signal,
    }),
  );
}
