import { onTestFailed } from 'vitest';

/** Numbers from 0 to 1 by chance (mulberry32). A test that fails prints their seed; AISEC_TEST_SEED gives them again. */
export function chance(): () => number {
  const seed = Number(process.env['AISEC_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  onTestFailed(() => console.log(`seed of this test: AISEC_TEST_SEED=${seed}`));
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often something is done by chance: a few times in `npm test`, often in `npm run test:long`. */
export function rounds(few: number, many: number): number {
  return process.env['AISEC_TEST_LONG'] === undefined ? few : many;
}
