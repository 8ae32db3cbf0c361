import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect, inject, test } from 'vitest';

import { TokenStore } from '../../src/adapters/redis/token-store.js';
import type { AisecError } from '../../src/base/errors.js';
import { resolveServiceRedis } from '../../src/config/redis-target.js';
import { describeOnRedis } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

/** Works without a pause, as a process does that ten thousand requests have reached. */
function beBusy(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}

describeOnRedis('a process that is busy', () => {
  test('does not give up Redis that answers', async () => {
    const target = resolveServiceRedis(inject('redisUrl') ?? undefined);
    if (target === undefined) throw new Error('no address');
    const problems: AisecError[] = [];
    const store = new TokenStore({
      target,
      connectionName: 'aisec-test',
      // Longer than Redis may be kept from its work by others, and shorter than this process is busy.
      patienceMs: 2000,
      onUp: () => undefined,
      onDown: (problem) => problems.push(problem),
    });
    await store.start();
    try {
      await waitFor(() => Promise.resolve(store.isUp));
      const reads: Promise<unknown>[] = [];
      for (let turn = 0; turn < 4; turn += 1) {
        reads.push(store.read('aisec:test:none', 'aisec:test:none', (found) => found ?? 'down'));
        beBusy(2300);
        await nextTurn();
      }
      expect(problems).toEqual([]);
      expect(await Promise.all(reads)).toEqual(reads.map(() => [null, null]));
    } finally {
      store.close();
    }
  });
});
