import { postToWebhook, webhookBody } from '../../adapters/notify/webhook.js';
import { AisecError } from '../../base/errors.js';
import { bySeverity, type Severity } from '../../base/finding.js';
import type { Changes, PastFinding } from './history.js';
import type { Diagnosis } from './run.js';

/** @throws AisecError CONFIG_INVALID without the address, which is a secret. */
export function notifyAddress(text: string | undefined): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new AisecError('CONFIG_INVALID', `AISEC_NOTIFY_URL is ${text === undefined ? 'not set' : 'not a URL'}`, {
    hint: 'Set it to the address of a webhook of Slack, Teams or your own: it is a secret, so it is no option.',
  });
}

/** Changes from that level on. */
export function worthSending({ added, gone, comparedWith }: Changes, failOn: Severity): Changes {
  const isWorth = (finding: PastFinding): boolean => bySeverity(finding, { severity: failOn }) <= 0;
  return { comparedWith, added: added.filter(isWorth), gone: gone.filter(isWorth) };
}

/** One message for all that changed. */
function messageText({ database }: Diagnosis, { added, gone }: Changes): string {
  return [
    `aisec doctor, ${database}: ${added.length} new, ${gone.length} gone`,
    ...added.map(({ severity, message, id }) => `${severity}: ${message} [${id}]`),
    ...gone.map(({ message, id, since }) => `gone: ${message} [${id}], since ${since}`),
  ].join('\n');
}

/** Sends what changed, once for all of it. Returns why it did not arrive, without a secret; undefined when it did. */
export function notify(address: URL, diagnosis: Diagnosis, changes: Changes): Promise<string | undefined> {
  const { database, schema } = diagnosis;
  return postToWebhook(
    address,
    webhookBody(address, messageText(diagnosis, changes), { database, schema, ...changes }),
  );
}
