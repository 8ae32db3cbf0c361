import { setTimeout as delay } from 'node:timers/promises';

import { messageOf } from '../../base/errors.js';

const TIMEOUT_MS = 5000;
const ATTEMPTS = 3;
const PAUSE_MS = 500;

/**
 * What a webhook takes: of Slack a text (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), of Teams a
 * message with an adaptive card, of any other the document itself with the text beside it.
 */
export function webhookBody(url: URL, text: string, document: object): object {
  if (url.hostname === 'hooks.slack.com') return { text };
  if (!/\.(?:webhook\.office\.com|logic\.azure\.com|powerplatform\.com)$/.test(url.hostname))
    return { text, ...document };
  const block = { type: 'TextBlock', wrap: true, text };
  const content = { type: 'AdaptiveCard', version: '1.4', body: [block] };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
}

/** Returns why nothing was delivered after three attempts, without the address beyond its host, which is a secret. */
export async function postToWebhook(url: URL, body: object): Promise<string | undefined> {
  let fault = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      });
      await response.body?.cancel();
      if (response.ok) return undefined;
      fault = `it answered ${response.status}`;
    } catch (error) {
      fault = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    }
    if (attempt < ATTEMPTS) await delay(PAUSE_MS);
  }
  return `${url.host}: ${fault}`;
}
