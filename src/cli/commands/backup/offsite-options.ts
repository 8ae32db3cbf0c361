import type { StorePlace } from '../../../config/store-url.js';
import type { OptionSpec } from '../../command.js';

export const ENCRYPT_OPTION: OptionSpec = {
  flags: '--encrypt-to <keys>',
  description: 'encrypt to these public keys of age (age1…, several with commas)',
  parse: (text) => text.split(','),
};

export const RECIPIENTS_OPTION: OptionSpec = {
  flags: '--recipients-file <file>',
  description: 'encrypt to the public keys in this file, one a line, as age -R takes it',
};

/** Whether what is sent can be read on its way. */
export function isOpenOnTheWay({ endpoint }: StorePlace): boolean {
  if (endpoint === undefined || !endpoint.startsWith('http://')) return false;
  return !/^(localhost|127\..*|\[::1\])$/.test(new URL(endpoint).hostname);
}
