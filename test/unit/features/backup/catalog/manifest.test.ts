import { describe, expect, test } from 'vitest';

import { isVerified, manifestText, parseManifest } from '../../../../../src/features/backup/catalog/manifest.js';
import { backupManifest } from '../../../../fixtures/backup-manifest.js';

const parse = (value: unknown) => parseManifest(JSON.stringify(value), 'x.dump.json');

describe('the manifest of a backup', () => {
  test('is read as it was written', () => {
    const manifest = backupManifest();
    expect(parseManifest(manifestText(manifest), 'x')).toEqual(manifest);
  });

  test.each(Object.keys(backupManifest()).filter((field) => field !== 'formatVersion'))(
    'is refused without %s, which the error names',
    (field) => {
      expect(() => parse({ ...backupManifest(), [field]: undefined })).toThrow(
        expect.objectContaining({ code: 'BACKUP_INVALID', detail: `Its field "${field}" is missing or wrong.` }),
      );
    },
  );

  test('of a later format is refused, and says so', () => {
    expect(() => parse({ ...backupManifest(), formatVersion: 2 })).toThrow(
      expect.objectContaining({ detail: 'It has format version 2, which a newer aisec writes.' }),
    );
  });

  test.each(['../../etc/passwd', '/etc/passwd', '..', 'a/b'])('may not name %s as a file of it', (file) => {
    const globals = { file, sizeBytes: 1, sha256: 'a'.repeat(64) };
    expect(() => parse({ ...backupManifest(), globals })).toThrow(/invalid backup manifest/);
    expect(() => parse({ ...backupManifest(), file })).toThrow(/invalid backup manifest/);
  });

  test.each(['', '{', '[]', 'null', '"text"'])('is not %j', (text) => {
    expect(() => parseManifest(text, 'x.dump.json')).toThrow('invalid backup manifest "x.dump.json"');
  });

  test('counts as verified until damage is found', () => {
    expect(isVerified(backupManifest())).toBe(true);
    expect(isVerified(backupManifest({ verifications: [] }))).toBe(false);
    expect(isVerified(backupManifest({ damage: { at: '2026-11-26T00:00:00Z', reason: 'a byte' } }))).toBe(false);
  });
});
