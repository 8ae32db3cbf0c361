import { readText } from '../../adapters/files/read.js';
import { postToWebhook, webhookBody } from '../../adapters/notify/webhook.js';
import { AisecError } from '../../base/errors.js';
import { bySeverity, type Severity } from '../../base/finding.js';
import type { Config } from '../../config/config.js';
import type { Changes, PastFinding } from './history.js';
import type { Diagnosis } from './run.js';

function firstLine(file: string): string {
  return readText(file).split(/\r?\n/, 1)[0]?.trim() ?? '';
}

/** @throws AisecError CONFIG_INVALID without the address, which is a secret. */
export function notifyAddress({ notifyUrl, notifyUrlFile }: Pick<Config, 'notifyUrl' | 'notifyUrlFile'>): URL {
  const isInFile = notifyUrl === undefined && notifyUrlFile !== undefined;
  const text = isInFile ? firstLine(notifyUrlFile) : notifyUrl;
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  const what = isInFile ? `the first line of ${notifyUrlFile}` : 'AISEC_NOTIFY_URL';
  throw new AisecError('CONFIG_INVALID', `${what} is ${text === undefined ? 'not set' : 'not a URL'}`, {
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
