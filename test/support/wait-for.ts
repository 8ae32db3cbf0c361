import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until it is so; throws after 15 s. */
export async function waitFor(isThere: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 15_000;
  while (!(await isThere())) {
    if (performance.now() > until) throw new Error('what the test waits for did not happen within 15 s');
    await sleep(30);
  }
}
