import { AisecError } from '../base/errors.js';

/** A bucket of an S3-compatible store, and a folder in it. */
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

function unusable(message: string, hint: string): AisecError {
  return new AisecError('USAGE', message, { hint });
}

/**
 * Reads `s3://bucket/folder`.
 *
 * @throws AisecError USAGE; the text itself is only shown when it cannot hold a secret.
 */
export function parseStoreUrl(text: string, endpoint: string | undefined): StorePlace {
  const example = 'Give s3://bucket or s3://bucket/folder.';
  if (text === '') throw unusable('the address of the store is empty', `${example} Is a shell variable not set?`);
  if (text.includes('@'))
    throw unusable(
      'the address of the store may not carry a key',
      `${example} The key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from AWS_PROFILE.`,
    );
  if (!isStoreUrl(text)) throw unusable(`"${text}" is no address of a store`, example);
  const [bucket = '', ...folders] = text.slice(SCHEME.length).replace(/\/$/, '').split('/');
  if (!BUCKET.test(bucket)) throw unusable(`"${bucket}" is no name of a bucket`, example);
  const odd = folders.find((folder) => ['', '.', '..'].includes(folder) || /[\p{Cc}?#\\]/u.test(folder));
  if (odd !== undefined) throw unusable(`"${odd}" is no name of a folder in a store`, example);
  return { bucket, prefix: folders.map((folder) => `${folder}/`).join(''), endpoint: checkEndpoint(endpoint) };
}

/** Reads `s3://bucket/folder/NAME`. @throws AisecError USAGE. */
export function splitObjectUrl(text: string, endpoint: string | undefined): { place: StorePlace; name: string } {
  const [, parent = text, name = ''] = /^(.*[^/])\/([^/]+)$/.exec(text) ?? [];
  const place = parseStoreUrl(parent, endpoint);
  if (name !== '') return { place, name };
  throw unusable(`"${text}" is no address of an object`, 'Give s3://bucket/folder/NAME.');
}

function checkEndpoint(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const hint = 'Give https://host or https://host:port.';
  if (text === '') throw unusable('the endpoint of the store is empty', `${hint} Is a shell variable not set?`);
  if (text.includes('@')) throw unusable('the endpoint of the store may not carry a key', hint);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw unusable(`"${text}" is no endpoint of a store`, hint);
  return url.href.replace(/\/$/, '');
}
