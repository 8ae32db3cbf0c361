import type { StorePlace } from '../../../config/store-url.js';

/** Whether what is sent can be read on its way. */
export function isOpenOnTheWay({ endpoint }: StorePlace): boolean {
  if (endpoint === undefined || !endpoint.startsWith('http://')) return false;
  return !/^(localhost|127\..*|\[::1\])$/.test(new URL(endpoint).hostname);
}
