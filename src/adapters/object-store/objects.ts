import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';

import type { GetObjectCommandOutput, HeadObjectCommandOutput } from '@aws-sdk/client-s3';

import { noStoreError } from './store-error.js';
import { asking, type Store } from './store.js';

/** An object in the directory of a store. */
export interface StoredObject {
  /** Without the directory. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Another one after each change of it. */
  readonly etag: string;
}

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
      if (page.Name === undefined) throw noStoreError('list the backups', place);
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? [])
        if (Key !== undefined && Key !== place.prefix)
          found.push({
            name: Key.slice(place.prefix.length),
            sizeBytes: Size ?? 0,
            modifiedAt: LastModified ?? new Date(),
            etag: ETag ?? '',
          });
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return found;
  });
}

/** Those that refuse a key say no more; those that know no HEAD, or stand behind something that lets none through, say so. */
const NO_HEAD: readonly (number | undefined)[] = [400, 403, 405, 501];
const NO_SUCH_RANGE = 416;

/** By its first byte, which an empty one has not. What a store sends that heeds no range is not waited for. */
async function firstByteOf(
  { sdk, client, signal }: Store,
  object: { readonly Bucket: string; readonly Key: string },
): Promise<GetObjectCommandOutput> {
  const get = (range: { readonly Range?: string }): Promise<GetObjectCommandOutput> =>
    client.send(new sdk.GetObjectCommand({ ...object, ...range }), { abortSignal: signal });
  const found = await get({ Range: 'bytes=0-0' }).catch((error: unknown) => {
    if (statusOf(error) === NO_SUCH_RANGE) return get({});
    throw error;
  });
  // On Node it is always one.
  (found.Body as Readable | undefined)?.destroy();
  return found;
}

export function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/**
 * What a store says of an object. A refusal of a HEAD has no text that would distinguish a wrong key from a wrong clock, so the
 * first byte is asked for then, and where there is no HEAD.
 */
async function headOf(store: Store, name: string): Promise<HeadObjectCommandOutput | GetObjectCommandOutput> {
  const { sdk, client, place, signal } = store;
  const object = { Bucket: place.bucket, Key: objectKey(store, name) };
  try {
    return await client.send(new sdk.HeadObjectCommand(object), { abortSignal: signal });
  } catch (error) {
    if (!NO_HEAD.includes(statusOf(error))) throw error;
    return firstByteOf(store, object);
  }
}

export interface ObjectFacts {
  readonly sizeBytes: number;
  /** These two as it was uploaded with; undefined without. An ETag is no checksum of a whole object. */
  readonly sha256: string | undefined;
  readonly origin: string | undefined;
}

/** Undefined when there is no such object. */
export async function describeObject(store: Store, name: string): Promise<ObjectFacts | undefined> {
  const { sdk } = store;
  return asking(store, `look at ${name}`, async () => {
    try {
      const head = await headOf(store, name);
      if (head.ETag === undefined) throw noStoreError(`look at ${name}`, store.place);
      const [, whole] = /\/(\d+)$/.exec(head.ContentRange ?? '') ?? [];
      const sizeBytes = Number(whole ?? head.ContentLength ?? 0);
      return { sizeBytes, sha256: head.Metadata?.['sha256'], origin: head.Metadata?.['origin'] };
    } catch (error) {
      if (error instanceof sdk.NotFound || error instanceof sdk.NoSuchKey) return undefined;
      throw error;
    }
  });
}

/** The bytes of an object as they come; undefined when there is none. */
export async function openObject(
  store: Store,
  name: string,
): Promise<{ readonly body: Readable; readonly etag: string } | undefined> {
  const { sdk, client, place, signal } = store;
  return asking(store, `read ${name}`, async () => {
    try {
      const command = new sdk.GetObjectCommand({ Bucket: place.bucket, Key: objectKey(store, name) });
      const { Body, ETag } = await client.send(command, { abortSignal: signal });
      // On Node it is always one.
      return Body === undefined ? undefined : { body: Body as Readable, etag: ETag ?? '' };
    } catch (error) {
      if (error instanceof sdk.NoSuchKey) return undefined;
      throw error;
    }
  });
}

/** A small object as text; undefined when there is none. */
export async function readObject(store: Store, name: string): Promise<string | undefined> {
  return (await readVersion(store, name))?.text;
}

/** The same with its ETag, which `replaceObject` takes. */
export async function readVersion(
  store: Store,
  name: string,
): Promise<{ readonly text: string; readonly etag: string } | undefined> {
  const found = await openObject(store, name);
  if (found === undefined) return undefined;
  const text = await asking(store, `read ${name}`, async () => (await buffer(found.body)).toString('utf8'));
  return { text, etag: found.etag };
}

async function putObject(store: Store, name: string, text: string, IfMatch?: string): Promise<void> {
  const { sdk, client, place, signal } = store;
  await client.send(
    new sdk.PutObjectCommand({
      Bucket: place.bucket,
      Key: objectKey(store, name),
      Body: text,
      ContentType: 'application/json',
      IfMatch,
    }),
    { abortSignal: signal },
  );
}

/** A small object, written whole or not at all. */
export async function writeObject(store: Store, name: string, text: string): Promise<void> {
  await asking(store, `write ${name}`, () => putObject(store, name, text));
}

/** It has no object of that ETag, or another request of the same condition came between. */
const CHANGED: readonly (number | undefined)[] = [404, 409, 412];
const NOT_IMPLEMENTED = 501;

/**
 * A small object, written whole in place of the one with this ETag. `changed`: it has another one by now, and nothing was written.
 * `unsupported`: nothing was written. A store that ignores conditions writes it in any case.
 */
export async function replaceObject(
  store: Store,
  name: string,
  text: string,
  etag: string,
): Promise<'replaced' | 'changed' | 'unsupported'> {
  return asking(store, `write ${name}`, async () => {
    try {
      await putObject(store, name, text, etag);
      return 'replaced';
    } catch (error) {
      const status = statusOf(error);
      if (status === NOT_IMPLEMENTED) return 'unsupported';
      if (CHANGED.includes(status) && !(error instanceof store.sdk.NoSuchBucket)) return 'changed';
      throw error;
    }
  });
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
