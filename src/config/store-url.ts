import { shellWord } from '../base/package/aisec-command.js';
import { AisecError } from '../base/errors.js';

/** A bucket of an S3-compatible store, and a directory in it. */
export interface StorePlace {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /** `https://host:port`; undefined: Amazon's own. */
  readonly endpoint: string | undefined;
}

const SCHEME = 's3://';
/** What Amazon allows, and the capitals and underscores that others still do. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;

export function isStoreUrl(text: string): boolean {
  return text.startsWith(SCHEME);
}

export function storeUrl({ bucket, prefix }: StorePlace, name = ''): string {
  return `${SCHEME}${bucket}/${prefix}${name}`;
}

/** The flags by which a command of aisec reaches the place, for a shell. */
export function storeFlags(place: StorePlace): string {
  const { endpoint } = place;
  const store = `--store ${shellWord(storeUrl(place).replace(/\/$/, ''))}`;
  return endpoint === undefined ? store : `${store} --endpoint ${shellWord(endpoint)}`;
}

function unusable(message: string, hint: string): AisecError {
  return new AisecError('USAGE', message, { hint });
}

/**
 * Reads `s3://bucket/directory`.
 *
 * @throws AisecError USAGE; the text itself is only shown when it cannot hold a secret.
 */
export function parseStoreUrl(text: string, endpoint: string | undefined): StorePlace {
  const example = 'Give s3://bucket or s3://bucket/directory.';
  if (text.includes('@'))
    throw unusable(
      'the address of the store may not carry a key',
      `${example} The key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from AWS_PROFILE.`,
    );
  if (!isStoreUrl(text)) throw unusable(`invalid store address "${text}"`, example);
  const [bucket = '', ...directories] = text.slice(SCHEME.length).replace(/\/$/, '').split('/');
  if (!BUCKET.test(bucket)) throw unusable(`invalid bucket name "${bucket}"`, example);
  const odd = directories.find((directory) => ['', '.', '..'].includes(directory) || /[\p{Cc}?#\\]/u.test(directory));
  if (odd !== undefined) throw unusable(`invalid directory name in a store "${odd}"`, example);
  return {
    bucket,
    prefix: directories.map((directory) => `${directory}/`).join(''),
    endpoint: checkEndpoint(endpoint),
  };
}

/** Reads `s3://bucket/directory/NAME`. @throws AisecError USAGE. */
export function splitObjectUrl(text: string, endpoint: string | undefined): { place: StorePlace; name: string } {
  const [, parent = text, name = ''] = /^(.*[^/])\/([^/]+)$/.exec(text) ?? [];
  const place = parseStoreUrl(parent, endpoint);
  if (name !== '') return { place, name };
  throw unusable(`invalid object address "${text}"`, 'Give s3://bucket/directory/NAME.');
}

function checkEndpoint(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const hint = 'Give https://host or https://host:port.';
  if (text === '') throw unusable('the endpoint of the store is empty', `${hint} Is a shell variable not set?`);
  if (text.includes('@')) throw unusable('the endpoint of the store may not carry a key', hint);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw unusable(`invalid store endpoint "${text}"`, hint);
  return url.href.replace(/\/$/, '');
}
