import { constants } from 'node:fs';
import { access } from 'node:fs/promises';

import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import { storeUrl } from '../../config/store-url.js';
import { readBack } from './download.js';
import { metadataOf, partsOf, type Upload } from './file-parts.js';
import { putParts } from './multipart.js';
import { describeObject, objectKey, removeObject } from './objects.js';
import { asking, type Store } from './store.js';

const MEBIBYTE = 1024 * 1024;
const LEAST_PART_BYTES = 32 * MEBIBYTE;
/** Amazon takes 10,000 parts, others 1,000. */
const MOST_PARTS = 900;

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

async function putWhole(store: Store, upload: Upload): Promise<void> {
  const { sdk, client, place, signal } = store;
  for await (const body of partsOf(upload, Math.max(1, upload.checksum.sizeBytes))) {
    const object = { Bucket: place.bucket, Key: objectKey(store, upload.name), Body: body };
    const command = new sdk.PutObjectCommand({ ...object, ...metadataOf(upload) });
    await client.send(command, { abortSignal: signal });
    upload.onBytes(body.length);
  }
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
 * one that is not what it should be is removed again. Of parts that a run that was stopped has sent, only the missing ones are.
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
