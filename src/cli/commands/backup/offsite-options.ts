import { AisecError } from '../../../base/errors.js';
import { parseStoreUrl, type StorePlace } from '../../../config/store-url.js';
import type { OptionSpec } from '../../command.js';

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

export const ENCRYPT_OPTION: OptionSpec = {
  flags: '--encrypt-to <keys>',
  description: 'encrypt to these public keys of age (age1…, several with commas)',
  parse: (text) => text.split(','),
};

/** Undefined where no store was named. @throws AisecError USAGE. */
export function placeOf({ store, endpoint }: StoreOptions): StorePlace | undefined {
  if (store !== undefined) return parseStoreUrl(store, endpoint);
  if (endpoint === undefined) return undefined;
  throw new AisecError('USAGE', '--endpoint requires --store', { hint: 'Give --store s3://bucket/directory, too.' });
}

/** Whether what is sent can be read on its way. */
export function isOpenOnTheWay({ endpoint }: StorePlace): boolean {
  if (endpoint === undefined || !endpoint.startsWith('http://')) return false;
  return !/^(localhost|127\..*|\[::1\])$/.test(new URL(endpoint).hostname);
}
