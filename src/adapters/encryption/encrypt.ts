import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import type * as Age from 'age-encryption';

import { AisecError } from '../../base/errors.js';
import { throwIfInterrupted } from '../../base/interruption.js';
import type { Checksum } from '../files/checksum.js';
import { withNewFile } from '../files/new-file.js';
import { loadAge } from './age.js';
import { asWebStream, bytesOf, fromWebStream } from './bytes.js';
import { FileKeyListener } from './file-key-listener.js';

export interface EncryptOptions {
  /** Of `checkRecipients`. */
  readonly recipients: readonly string[];
  /** Of the encrypted file; undefined: only its owner can read it. */
  readonly mode?: number;
  readonly signal: AbortSignal;
  /** How much of the plain file was read: first encrypting it, then comparing. */
  readonly onBytes: (bytes: number) => void;
}

async function write(
  { Encrypter }: typeof Age,
  plain: string,
  target: string,
  listener: FileKeyListener,
  { recipients, mode, signal, onBytes }: EncryptOptions,
): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  encrypter.addRecipient(listener);
  const hash = createHash('sha256');
  const encrypted = await encrypter.encrypt(asWebStream(bytesOf(plain, onBytes, hash)));
  await withNewFile(target, (file) => pipeline(fromWebStream(encrypted), file, { signal }), mode);
  return hash.digest('hex');
}

/** Decrypts what lies on the disk and returns the checksum of what comes out, and its own. */
async function readBack(
  { Decrypter }: typeof Age,
  file: string,
  fileKey: Uint8Array,
  { signal, onBytes }: EncryptOptions,
): Promise<{ readonly plainSha256: string; readonly checksum: Checksum }> {
  const [plain, own] = [createHash('sha256'), createHash('sha256')];
  let sizeBytes = 0;
  const source = bytesOf(file, (bytes) => (sizeBytes = bytes), own);
  const decrypter = new Decrypter();
  decrypter.addIdentity({ unwrapFileKey: () => fileKey });
  let plainBytes = 0;
  for await (const chunk of fromWebStream(await decrypter.decrypt(asWebStream(source)))) {
    throwIfInterrupted(signal);
    plain.update(chunk);
    plainBytes += chunk.length;
    onBytes(plainBytes);
  }
  return { plainSha256: plain.digest('hex'), checksum: { sizeBytes, sha256: own.digest('hex') } };
}

/**
 * Encrypts a file to public keys of age, and decrypts the result from the disk to compare it, byte by byte, with what
 * went in. When anything fails there is none. The plain one stays.
 *
 * @returns size and checksum of the encrypted file.
 * @throws AisecError BACKUP_INVALID when what lies on the disk is not what was written; PACKAGE_MISSING.
 */
export async function encryptFile(plain: string, target: string, options: EncryptOptions): Promise<Checksum> {
  const age = await loadAge();
  const listener = new FileKeyListener();
  try {
    const plainSha256 = await write(age, plain, target, listener, options);
    return await verify(age, target, plainSha256, listener.fileKey ?? new Uint8Array(), options);
  } catch (error) {
    throwIfInterrupted(options.signal);
    throw error;
  } finally {
    listener.fileKey?.fill(0);
  }
}

async function verify(
  age: typeof Age,
  file: string,
  plainSha256: string,
  fileKey: Uint8Array,
  options: EncryptOptions,
): Promise<Checksum> {
  try {
    const back = await readBack(age, file, fileKey, options).catch((error: unknown) => {
      throwIfInterrupted(options.signal);
      throw damaged(file, error);
    });
    if (back.plainSha256 !== plainSha256) throw damaged(file, undefined);
    return back.checksum;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

function damaged(file: string, cause: unknown): AisecError {
  return new AisecError('BACKUP_INVALID', `"${file}" does not decrypt to what was encrypted`, {
    detail: 'It was removed.',
    hint: 'See whether the disk fails, and run the command again.',
    cause,
  });
}
