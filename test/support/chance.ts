import { onTestFailed } from 'vitest';

/** A number from 0 to 1, the same series for the same seed (mulberry32). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** By chance, or AISEC_TEST_SEED. */
function newSeed(): number {
  return Number(process.env['AISEC_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
}

/** The seed of a whole file, which is printed at once. */
export function printedSeed(title: string): number {
  const seed = newSeed();
  console.log(`${title}: AISEC_TEST_SEED=${seed}`);
  return seed;
}

/** A test that fails prints it. */
export function seedOfTest(): number {
  const seed = newSeed();
  onTestFailed(() => console.log(`seed of this test: AISEC_TEST_SEED=${seed}`));
  return seed;
}

/** Numbers by chance, for one test. */
export function chance(): Random {
  return seeded(seedOfTest());
}

/** Whether the long form of tests by chance is wanted: `npm run test:long`. */
export const IS_LONG = process.env['AISEC_TEST_LONG'] === '1';

/** How often something is done by chance: a few times in each run, often in the long form. */
export function rounds(few: number, many: number): number {
  return IS_LONG ? many : few;
}
