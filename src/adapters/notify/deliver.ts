import { setTimeout as delay } from 'node:timers/promises';

import { messageOf } from '../../base/errors.js';

const TIMEOUT_MS = 5000;
const ATTEMPTS = 3;
const PAUSE_MS = 500;

async function postOnce(
  url: URL,
  init: Pick<RequestInit, 'body' | 'headers' | 'redirect'>,
): Promise<string | undefined> {
  try {
    const response = await fetch(url, { method: 'POST', ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok ? undefined : `it answered ${response.status}`;
  } catch (error) {
    return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
  }
}

/**
 * Posts a body in at most three attempts. Returns why it did not arrive, without the address beyond its host, which is
 * a secret: its holder can answer for the job; undefined when it arrived.
 */
export async function deliver(
  url: URL,
  init: Pick<RequestInit, 'body' | 'headers' | 'redirect'>,
): Promise<string | undefined> {
  let fault: string | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    fault = await postOnce(url, init);
    if (fault === undefined) return undefined;
    if (attempt < ATTEMPTS) await delay(PAUSE_MS);
  }
  return `${url.host}: ${fault ?? ''}`;
}
