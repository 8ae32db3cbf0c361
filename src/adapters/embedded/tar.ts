import type { PGlite } from '@electric-sql/pglite';

import { isAisecError } from '../../base/errors.js';
import { embeddedError } from './error.js';
import { openEngine, startPGlite, type OpenedEmbedded } from './embedded.js';
import type { OpenOptions } from '../postgres/open-options.js';
import type { Session } from '../postgres/session.js';

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
const [MAGIC, MAGIC_AT] = ['ustar', 257];

/**
 * The data directory of a running engine as a tar archive, with everything in it: rows, indexes, roles, passwords.
 * The engine must be in no transaction; it does no checkpoint of its own, so that comes first.
 */
export async function dataDirectoryTar(engine: PGlite): Promise<ArrayBuffer> {
  await engine.exec('checkpoint');
  return (await engine.dumpDataDir('none')).arrayBuffer();
}

/** The version of PGlite, which its own PostgreSQL reports: `0.5.14`. */
export async function engineVersion(session: Session): Promise<string> {
  const { rows } = await session.query<{ version: string }>('select pg_catalog.version() as version');
  return /PGlite (\S+?)\)/.exec(rows[0]?.version ?? '')?.[1] ?? 'unknown';
}

/**
 * A session on a database started from such an archive: in a directory that is not there yet, or in memory, where it goes
 * with the session. Only for archives whose checksum was compared: the engine ends the process over a damaged one.
 *
 * @throws AisecError EMBEDDED_FAILED, DISK_FULL.
 */
export async function openTar(
  tar: ArrayBuffer,
  options: OpenOptions,
  place: { readonly dataDir?: string; readonly label: string },
): Promise<OpenedEmbedded> {
  const isTar = Buffer.from(tar).subarray(MAGIC_AT).toString('latin1', 0, MAGIC.length) === MAGIC;
  if (!isTar) throw embeddedError(place.label, new Error('it is not a tar archive'));
  try {
    // A copy, for the caller keeps its own.
    const engine = await startPGlite(place.dataDir, { snapshot: Buffer.from(tar.slice()) });
    return { engine, session: await openEngine(engine, place.label, options, () => undefined) };
  } catch (error) {
    throw isAisecError(error) ? error : embeddedError(place.dataDir ?? 'in memory', error);
  }
}
