import { describe, expect, test } from 'vitest';

import {
  backupFileName,
  nameOfPartial,
  parseBackupFileName,
  type BackupName,
} from '../../../../../src/features/backup/catalog/names.js';

const name = (changes: Partial<BackupName> = {}): BackupName => ({
  database: 'ai_secretary',
  createdAt: new Date('2026-11-25T02:15:00Z'),
  format: 'custom',
  isEncrypted: false,
  ...changes,
});

describe('the name of a backup', () => {
  test('has the database and the time in UTC', () => {
    expect(backupFileName(name())).toBe('ai_secretary_20261125_021500.dump');
  });

  test.each([
    name(),
    name({ format: 'embedded' }),
    name({ format: 'sql', isEncrypted: true }),
    name({ database: 'app_20200101_000000' }),
    name({ id: '3f9a2c' }),
    name({ database: 'app-3f9a2c', id: '000000', format: 'sql', isEncrypted: true }),
    name({ database: '.hidden/データ 100%' }),
    name({ database: '-rf' }),
  ])('is read back as it was made: $database, $format, encrypted $isEncrypted', (given) => {
    const file = backupFileName(given);
    expect(file).toMatch(/^[A-Za-z0-9_%][A-Za-z0-9_.%-]*$/);
    expect(parseBackupFileName(file)).toEqual(given);
  });

  test.each([
    'notes.txt',
    'app.dump',
    'app_20261125.dump',
    'app_20261325_021500.dump',
    'app_20261125_021500.dump.json',
    'app_20261125_021500.dump.partial',
    'app_20261125_021500.dump.bak',
    'app_20261125_021500-3f9a2.dump',
    'app_20261125_021500-3f9a2c0.dump',
    '_20261125_021500.dump',
  ])('is not %s', (file) => {
    expect(parseBackupFileName(file)).toBeUndefined();
  });

  test('is known from a partial file, its own and that of its manifest, and from the directory that jobs dump into', () => {
    for (const middle of ['', '.json', '.parts'])
      expect(nameOfPartial(`app_20261125_021500.dump${middle}.partial`)).toBe('app_20261125_021500.dump');
    expect(nameOfPartial('download.partial')).toBeUndefined();
  });
});
