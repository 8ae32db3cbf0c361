import { randomInt } from 'node:crypto';

import { sleep } from '../../../base/interruption.js';
import { AisecError } from '../../../base/errors.js';
import { storeUrl } from '../../../config/store-url.js';
import { describeObject, readVersion, replaceObject, writeObject } from '../../../adapters/object-store/objects.js';
import type { Store } from '../../../adapters/object-store/store.js';
import { listCommand } from '../catalog/list-command.js';
import { manifestText, parseManifest, type BackupManifest } from '../catalog/manifest.js';
import { manifestName } from '../catalog/names.js';

interface ReadManifest {
  readonly manifest: BackupManifest;
  readonly etag: string;
}

/** Another run's change comes between at most so often. */
const MOST_ATTEMPTS = 20;
/** Longer than another run takes from reading a manifest to writing it. */
const SETTLE_MS = 500;
/** No object has it. */
const NO_ETAG = '"aisec-no-such-etag"';

async function read(store: Store, name: string): Promise<ReadManifest> {
  const file = storeUrl(store.place, name);
  const found = await readVersion(store, manifestName(name));
  if (found === undefined)
    throw new AisecError('BACKUP_UNKNOWN', `there is no backup ${file}`, {
      detail: 'Its manifest is not there.',
      hint: `See what the store has: ${listCommand(store.place)}`,
    });
  const manifest = parseManifest(found.text, manifestName(file));
  if (manifest.file === name) return { manifest, etag: found.etag };
  throw new AisecError('BACKUP_INVALID', `${manifestName(file)} is the manifest of another backup`, {
    detail: `It is that of "${manifest.file}".`,
    hint: 'Use another backup, or another copy of this one.',
  });
}

/** The manifest of a copy. @throws AisecError BACKUP_UNKNOWN when there is none, BACKUP_INVALID when it is wrong. */
export async function readCopyManifest(store: Store, name: string): Promise<BackupManifest> {
  return (await read(store, name)).manifest;
}

/**
 * Writes the text in place of the manifest with this ETag. A store that knows conditions refuses the one that nothing meets; one that
 * ignores them takes it, and has the text then. False: it is another manifest by now, and nothing was written.
 */
async function replace(store: Store, name: string, text: string, etag: string): Promise<boolean> {
  const outcome = await replaceObject(store, name, text, NO_ETAG);
  if (outcome === 'changed') return (await replaceObject(store, name, text, etag)) === 'replaced';
  if (outcome === 'unsupported') await writeObject(store, name, text);
  return true;
}

/**
 * Changes the manifest of a copy, so that changes of other runs at the same time are kept: by a conditional write where the
 * store has it. Everywhere it is read again after a while, and changed again where another run has written over it.
 *
 * @param change may be called several times; of its own result it makes the same again
 * @throws AisecError BACKUP_UNKNOWN, also when retention removes the copy meanwhile; STORE_FAILED when others never stop.
 */
export async function changeCopyManifest(
  store: Store,
  name: string,
  change: (manifest: BackupManifest) => BackupManifest,
): Promise<BackupManifest> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const startedMs = performance.now();
    const { manifest, etag } = await read(store, name);
    const changed = change(manifest);
    const isWritten = await replace(store, manifestName(name), manifestText(changed), etag);
    const tookMs = performance.now() - startedMs;
    await sleep(isWritten ? SETTLE_MS + 2 * tookMs + randomInt(SETTLE_MS) : randomInt(SETTLE_MS), store.signal);
    if (!isWritten) continue;
    const { manifest: there } = await read(store, name);
    if (manifestText(change(there)) !== manifestText(there)) continue;
    // Retention removes the file first, and may have begun before the change. A store puts a file away that it reads as damaged.
    if (there.damage !== null || (await describeObject(store, name)) !== undefined) return there;
    throw new AisecError('BACKUP_UNKNOWN', `there is no backup ${storeUrl(store.place, name)}`, {
      detail: 'Its manifest is there and the file is not: another run may be removing it.',
      hint: `See what the store has: ${listCommand(store.place)}`,
    });
  }
  throw new AisecError('STORE_FAILED', `could not change the manifest of ${storeUrl(store.place, name)}`, {
    detail: `Other runs changed it ${MOST_ATTEMPTS} times meanwhile.`,
    hint: 'Run the command again.',
  });
}
