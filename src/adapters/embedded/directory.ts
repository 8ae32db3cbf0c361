import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { AisecError } from '../../base/errors.js';
import { describeEmbedded, embeddedError } from './error.js';

/** PostgreSQL's major version in the PGlite of package.json; another one cannot read the directory. */
export const ENGINE_MAJOR = 18;

function refuseDirectory(dataDir: string, detail: string): never {
  throw new AisecError('EMBEDDED_FAILED', `could not open the ${describeEmbedded(dataDir)}`, {
    detail,
    hint: 'Set AISEC_DATA_DIR to another directory, or move this one away: `aisec migrate up` then makes a new, empty database.',
  });
}

/**
 * Whether there is a database in the directory; an empty directory counts as none.
 *
 * @throws AisecError EMBEDDED_FAILED when it cannot be looked into, or holds something else.
 */
export function hasDatabase(dataDir: string): boolean {
  let names: readonly string[];
  try {
    names = readdirSync(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw embeddedError(dataDir, error);
  }
  if (names.length === 0) return false;
  if (!names.includes('PG_VERSION')) refuseDirectory(dataDir, 'The directory holds other files and no database.');
  const version = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim();
  if (version !== String(ENGINE_MAJOR))
    refuseDirectory(dataDir, `It was made by PostgreSQL ${version}; the embedded one is ${ENGINE_MAJOR}.`);
  return true;
}

/** Makes the directory as a whole or not at all: `make` takes seconds and may be killed, so it works beside. The parent directory is there. */
export async function createWhole(dataDir: string, make: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${dataDir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  try {
    await make(partial);
    renameSync(partial, dataDir);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}
