import { deliver } from './deliver.js';

/** https://healthchecks.io/docs/http_api/: the address itself means success. */
export type PingKind = 'start' | 'success' | 'fail';

function addressOf(url: URL, kind: PingKind): URL {
  if (kind === 'success') return url;
  const address = new URL(url);
  address.pathname = `${address.pathname.replace(/\/$/, '')}/${kind}`;
  return address;
}

/** Reports to a monitoring service where a job is. Returns why that failed; undefined when it was reported. */
export const ping = (url: URL, kind: PingKind, body: string): Promise<string | undefined> =>
  deliver(addressOf(url, kind), { body });
