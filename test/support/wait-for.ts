import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until it is so; throws after the time, which only a test that fails takes. */
export async function waitFor(isThere: () => Promise<boolean>, withinMs = 150_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await isThere())) {
    if (performance.now() > until) throw new Error(`what the test waits for did not happen within ${withinMs} ms`);
    await sleep(10);
  }
}
