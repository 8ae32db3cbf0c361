import type pg from 'pg';

import { afterSilence } from '../../base/interruption.js';

const WITHIN_MS = 2000;

/**
 * The driver rejects as soon as the server reports an error, before it hears whether a transaction is still open: a
 * ROLLBACK that is decided on too early would be left out. Waits for that word, two seconds at most.
 */
export async function untilReady(client: pg.ClientBase): Promise<void> {
  if ((client as unknown as { readonly readyForQuery: boolean }).readyForQuery) return;
  await new Promise<void>((resolve) => {
    const isReady = (): void => {
      stop();
      client.off('drain', isReady).off('end', isReady);
      resolve();
    };
    const stop = afterSilence(WITHIN_MS, isReady);
    client.on('drain', isReady).on('end', isReady);
  });
}
