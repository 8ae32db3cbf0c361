import { deliver } from './deliver.js';

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

/**
 * Returns why nothing was delivered, as {@link deliver} does. A redirect is a failure: after one a POST is a GET, whose
 * answer says nothing of the message.
 */
export const postToWebhook = (url: URL, body: object): Promise<string | undefined> =>
  deliver(url, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
  });
