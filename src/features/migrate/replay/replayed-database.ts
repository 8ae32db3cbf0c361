import { createHash } from 'node:crypto';
import { join } from 'node:path';

import type { OpenOptions } from '../../../adapters/postgres/open-options.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { DAY_MS } from '../../../base/duration.js';
import { aisecVersion } from '../../../base/package/version.js';
import type { MigrateSettings } from '../prepare.js';
import { forgetOld } from './cache.js';
import { applyToScratch } from './replay.js';

export interface ReplayOptions {
  /** Of the session; its schema and that of the extensions are those of the migrations. */
  readonly session: Omit<OpenOptions, 'embedded'>;
  /** Absolute: where archives of replayed chains are kept. */
  readonly cacheDir: string;
}

const SUFFIX = '.database';
/** Of how an archive is made. */
const FORMAT = '1';

/** What the database depends on; the months of messages ahead are in it. */
function keyOf({ files, schema, extensionSchema }: MigrateSettings): string {
  const month = new Date().toISOString().slice(0, 7);
  const parts = [FORMAT, aisecVersion(), month, schema, extensionSchema];
  const texts = files.map(({ source, name, checksum }) => `${source} ${name} ${checksum}`);
  return createHash('sha256')
    .update([...parts, ...texts].join('\n'))
    .digest('hex')
    .slice(0, 32);
}

/**
 * Runs the callback with a session on a database in memory to which the files were applied, as `migrate up` does. The
 * second time with the same files it starts from an archive, which takes a fifth as long; without a file it is the empty
 * database of the package. No other process sees the database, and it ends with the callback.
 *
 * @throws AisecError MIGRATION_FAILED and what else `migrateUp` throws; EMBEDDED_FAILED.
 */
export async function withReplay<Result>(
  settings: MigrateSettings,
  options: ReplayOptions,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await openReplay(settings, options);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

async function openReplay(settings: MigrateSettings, options: ReplayOptions): Promise<Session> {
  const { openNew } = await import('../../../adapters/embedded/embedded.js');
  if (settings.files.length === 0) return (await openNew(options.session)).session;
  const { openArchive, writeArchive } = await import('../../../adapters/embedded/archive.js');
  const file = join(options.cacheDir, `${keyOf(settings)}${SUFFIX}`);
  const kept = await openArchive(file, options.session);
  if (kept !== undefined) return kept.session;
  const made = await openNew(options.session);
  try {
    await applyToScratch(made.session, settings.files, settings, () => undefined);
  } catch (error) {
    await made.session.close();
    throw error;
  }
  // A directory that cannot be written costs the next run its time, nothing more.
  await writeArchive(made, file)
    .then(() => forgetOld(options.cacheDir, /\.(?:database|partial)$/, 7 * DAY_MS))
    .catch(() => undefined);
  return made.session;
}
