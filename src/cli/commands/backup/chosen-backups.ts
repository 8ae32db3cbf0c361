import { isStoreUrl } from '../../../config/store-url.js';
import { directoryOf, inStoreOf, placeOf, type PlaceOptions } from '../../backup-place.js';
import type { Context } from '../../context.js';

/** What `chosenBackups` takes. */
export const BACKUPS_ARGUMENT = {
  syntax: '[file]',
  description:
    'a path, a name in the directory or, with --store, in the store, or s3://bucket/directory/NAME (default: the newest of each database)',
};

async function newestInStore({ config, signal }: Context, options: PlaceOptions): Promise<readonly string[]> {
  const { listCopiesToVerify } = await import('../../../features/backup/list.js');
  const place = placeOf(options);
  return place === undefined ? [] : listCopiesToVerify(place, { environment: config.environment, signal });
}

/** Paths or addresses of the backup that was named, else of the newest of each database, server and format. */
export async function chosenBackups(
  context: Context,
  options: PlaceOptions,
  given: string,
): Promise<readonly string[]> {
  const argument = inStoreOf(options, given);
  if (argument === '' && options.store !== undefined) return newestInStore(context, options);
  const directory = directoryOf(context, options);
  const { backupPath, newestBackups } = await import('../../../features/backup/catalog/find-backup.js');
  if (isStoreUrl(argument)) return [argument];
  if (argument !== '') return [backupPath(directory, context.config.cwd, argument)];
  return (await newestBackups(directory, (text) => context.output.warning(text))).map(({ file }) => file);
}
