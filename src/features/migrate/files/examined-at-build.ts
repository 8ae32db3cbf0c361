import { readFileSync } from 'node:fs';

import { packageFile } from '../../../base/package-file.js';
import type { MigrationFile } from './migration-file.js';

/** Beside the bundle; written by .config/build.js. */
export const EXAMINED_FILE = 'dist/bundle/examined-migrations.json';

let checksums: ReadonlySet<string> | undefined;

function readChecksums(): ReadonlySet<string> {
  try {
    return new Set(JSON.parse(readFileSync(packageFile(EXAMINED_FILE), 'utf8')) as readonly string[]);
  } catch {
    // Not built yet: then every file is parsed when it runs.
    return new Set();
  }
}

/**
 * Whether PostgreSQL's parser has read this very text when the package was built, and found nothing that does not belong in
 * a migration. The bundled ones are known by their checksums, so that `migrate up` need not load the parser for them.
 */
export function isExaminedAtBuild({ checksum }: Pick<MigrationFile, 'checksum'>): boolean {
  checksums ??= readChecksums();
  return checksums.has(checksum);
}
