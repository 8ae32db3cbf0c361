import { setTimeout as delay } from 'node:timers/promises';

import { messageOf } from '../../base/errors.js';

const TIMEOUT_MS = 5000;
const ATTEMPTS = 3;
const PAUSE_MS = 500;

/** https://healthchecks.io/docs/http_api/: the address itself means success. */
export type PingKind = 'start' | 'success' | 'fail';

function addressOf(url: URL, kind: PingKind): URL {
  if (kind === 'success') return url;
  const address = new URL(url);
  address.pathname = `${address.pathname.replace(/\/$/, '')}/${kind}`;
  return address;
}

async function pingOnce(address: URL, body: string): Promise<string | undefined> {
  try {
    const response = await fetch(address, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok ? undefined : `it answered ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    return cause;
  }
}

/**
 * Reports to a monitoring service where a job is. Returns why that failed, without the address beyond its host, since a
 * holder of the address can answer for the job; undefined when it was reported.
 */
export async function ping(url: URL, kind: PingKind, body: string): Promise<string | undefined> {
  let fault: string | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    fault = await pingOnce(addressOf(url, kind), body);
    if (fault === undefined) return undefined;
    if (attempt < ATTEMPTS) await delay(PAUSE_MS);
  }
  return `${url.host}: ${fault ?? ''}`;
}
