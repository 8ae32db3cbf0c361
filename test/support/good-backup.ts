import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { manifestText } from '../../src/features/backup/catalog/manifest.js';
import { backupFileName } from '../../src/features/backup/catalog/names.js';
import { backupManifest } from '../fixtures/backup-manifest.js';
import { createEmbeddedDirectory } from './database.js';

/** A directory with a backup of a database, of now and proven in every way, as far as its manifest tells. */
export async function directoryOfGoodBackup(database: string): Promise<string> {
  const directory = await createEmbeddedDirectory();
  const createdAt = new Date();
  const at = createdAt.toISOString();
  const file = backupFileName({ database, createdAt, format: 'custom', isEncrypted: false });
  const verifications = [
    { level: 'read', at },
    { level: 'deep', at },
  ] as const;
  writeFileSync(path.join(directory, file), 'dump');
  writeFileSync(
    path.join(directory, `${file}.json`),
    manifestText(backupManifest({ file, database, createdAt: at, verifications })),
  );
  return directory;
}
