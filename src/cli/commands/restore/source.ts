import { resolve } from 'node:path';

import { formatDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import { isStoreUrl } from '../../../config/store-url.js';
import type { ErasureSource } from '../../../features/backup/erasures/gather.js';
import type { ErasureOptions } from '../../../features/backup/erasures/erased-again.js';
import type { BackupSource } from '../../../features/backup/store/local-backup.js';
import {
  directoryOf,
  givenPath,
  inStoreOf,
  placeOf,
  type DirectoryOption,
  type PlaceOptions,
  type StoreOptions,
} from '../../backup-place.js';
import type { Context } from '../../context.js';
import { shellWord } from '../../../base/package/aisec-command.js';

/** A backup is named, or the newest one is asked for. @throws AisecError USAGE. */
export function checkSource({ latest }: { readonly latest: boolean }, argument: string): void {
  if (latest && argument !== '')
    throw new AisecError('USAGE', '--latest and a backup cannot be given together', {
      hint: 'Leave one of the two out; --latest takes the newest verified backup.',
    });
  if (!latest && argument === '')
    throw new AisecError('USAGE', 'no backup was given', {
      hint: 'Give a file, or --latest for the newest verified backup; see what there is: aisec backup list',
    });
}

/** @throws AisecError USAGE for an empty option, which is a shell variable that was not set. */
export function sourceOf(
  context: Context,
  { identity, endpoint }: StoreOptions & { readonly identity?: string },
): BackupSource {
  return { identityFile: givenPath(context, identity), endpoint };
}

/** Where erasures are on record, besides the configured database. */
export function erasureSourceOf(context: Context, options: DirectoryOption): ErasureSource {
  return { schema: context.config.schema, directory: directoryOf(context, options) };
}

/** What keeps people erased who were erased after the backup was made. */
export async function erasuresOf(context: Context, options: DirectoryOption): Promise<ErasureOptions> {
  const { eraseAgain } = await import('../../../features/user/erase-again.js');
  const source = erasureSourceOf(context, options);
  return {
    ...source,
    eraseAgain: (session, records, reporting) => eraseAgain(session, source.schema, records, reporting),
  };
}

/**
 * The backup that was given: an address, a path, or else a name in the directory of the backups or in the store. A path
 * may be that of any archive of pg_dump; one that is not there is refused when it is read.
 */
export async function givenBackup(context: Context, argument: string, options: PlaceOptions): Promise<string> {
  const given = inStoreOf(options, argument);
  if (isStoreUrl(given)) return given;
  const { findGiven } = await import('../../../features/backup/catalog/find-backup.js');
  const { cwd } = context.config;
  return findGiven(directoryOf(context, options), cwd, given) ?? resolve(cwd, given);
}

/** Path or address of the newest verified backup of the configured database; says which that is. */
export async function latestGiven(
  context: Context,
  options: PlaceOptions & { readonly wait: number },
): Promise<string> {
  const source = { directory: directoryOf(context, options), place: placeOf(options), takesOther: true };
  const embedded = await context.embeddedAccess({ timeoutMs: 0, waitMs: options.wait });
  const { latestBackup, latestEmbeddedBackup } = await import('../../../features/backup/store/latest-backup.js');
  const { file, database, createdAt, origin, isOfOther } =
    embedded === undefined
      ? await latestBackup(await context.serverAccess(), source)
      : await latestEmbeddedBackup(embedded, source);
  const { output } = context;
  output.note(
    `newest verified backup of "${database}": ${file}, ${formatDurationMs(Date.now() - createdAt.getTime())} old.`,
  );
  if (isOfOther) output.warning(`it was made of another server or directory than this one: ${origin?.label ?? ''}`);
  return file;
}

/** @throws AisecError USAGE where no server is configured: of the embedded database, all is restored or nothing. */
export async function requireServer(context: Context, option: string, argument: string): Promise<void> {
  if ((await context.embeddedAccess({ timeoutMs: 0, waitMs: 0 })) === undefined) return;
  throw new AisecError('USAGE', `${option} is for a server, and none is configured`, {
    hint: `Set DATABASE_URL. Of the embedded database, restore all of it beside and copy the rows from there: aisec restore ${shellWord(argument)} --create DIR`,
  });
}
