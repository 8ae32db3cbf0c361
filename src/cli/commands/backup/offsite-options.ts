import type { StorePlace } from '../../../config/store-url.js';
import type { OptionSpec } from '../../command.js';

export const ENCRYPT_OPTION: OptionSpec = {
  flags: '--encrypt-to <keys>',
  description: 'encrypt to these public keys of age (age1…, several with commas)',
  parse: (text) => text.split(','),
};

/** Whether what is sent can be read on its way. */
export function isOpenOnTheWay({ endpoint }: StorePlace): boolean {
  if (endpoint === undefined || !endpoint.startsWith('http://')) return false;
  return !/^(localhost|127\..*|\[::1\])$/.test(new URL(endpoint).hostname);
}
