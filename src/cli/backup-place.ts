import { resolve } from 'node:path';

import { AisecError } from '../base/errors.js';
import { isStoreUrl, parseStoreUrl, storeUrl, type StorePlace } from '../config/store-url.js';
import type { OptionSpec } from './command.js';
import type { Context } from './context.js';

export interface DirectoryOption {
  readonly dir?: string;
}

export const DIRECTORY_OPTION: OptionSpec = {
  flags: '--dir <dir>',
  description: 'directory of the backups (default: AISEC_BACKUP_DIR, else ./backups)',
};

/** Absolute. */
export function givenPath({ config }: Context, given: string | undefined): string | undefined {
  return given === undefined ? undefined : resolve(config.cwd, given);
}

/** Absolute. */
export function directoryOf(context: Context, { dir }: DirectoryOption): string {
  return givenPath(context, dir) ?? context.config.backupDir;
}

export interface StoreOptions {
  readonly store?: string;
  readonly endpoint?: string;
}

export const STORE_OPTIONS: readonly OptionSpec[] = [
  { flags: '--store <url>', description: 'an S3-compatible object store: s3://bucket/directory' },
  {
    flags: '--endpoint <url>',
    description: 'of a store that is not Amazon S3: https://host:port (default: AWS_ENDPOINT_URL)',
  },
];

export interface PlaceOptions extends DirectoryOption, StoreOptions {}

export const PLACE_OPTIONS: readonly OptionSpec[] = [DIRECTORY_OPTION, ...STORE_OPTIONS];

/** Undefined where no store was named. @throws AisecError USAGE. */
export function placeOf({ store, endpoint }: StoreOptions): StorePlace | undefined {
  if (store !== undefined) return parseStoreUrl(store, endpoint);
  if (endpoint === undefined) return undefined;
  throw new AisecError('USAGE', '--endpoint requires --store', { hint: 'Give --store s3://bucket/directory, too.' });
}

/** A name in a store as its address; what has an address, and any name where no store was named, as it is. */
export function inStoreOf(options: StoreOptions, name: string): string {
  if (options.store === undefined) return name;
  const place = parseStoreUrl(options.store, options.endpoint);
  return name === '' || isStoreUrl(name) ? name : storeUrl(place, name);
}
