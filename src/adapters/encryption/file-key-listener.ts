import type * as Age from 'age-encryption';

/** Hears the key of a file and adds nothing to it, so that what was written can be read back without a secret key. */
export class FileKeyListener implements Age.Recipient {
  fileKey: Uint8Array | undefined;

  wrapFileKey(fileKey: Uint8Array): [] {
    this.fileKey = fileKey.slice();
    return [];
  }
}
