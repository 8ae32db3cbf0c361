import { createHash } from 'node:crypto';

import type { Session } from '../adapters/postgres/session.js';
import { aisecVersion } from '../base/package/version.js';
import { labelOf, type MigrationFile, migrateUp } from '../features/migrate/index.js';

export const NAMES = { schema: 'public', extensionSchema: 'public' } as const;

const ALL = { to: undefined, allowsLate: false, lockTimeoutMs: 0, maxWaitMs: 0, waitMs: 0 } as const;

/**
 * What a migrated database depends on: the migrations, the version of aisec, and the month, since the months of messages
 * ahead are in it. 32 digits.
 */
export function keyOf(files: readonly MigrationFile[], ...further: readonly string[]): string {
  const month = new Date().toISOString().slice(0, 7);
  const parts = [...further, aisecVersion(), month, ...files.map((file) => `${labelOf(file)} ${file.checksum}`)];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

export async function migrate(session: Session, files: readonly MigrationFile[]): Promise<void> {
  const nothing = (): void => undefined;
  await migrateUp(session, { files, ...NAMES, ...ALL }, { onProgress: nothing, onWarning: nothing });
}
