/** A number from 0 to 1, the same series for the same seed (mulberry32). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** AISEC_TEST_SEED, or one by the clock; printed, so that a failure can be run again. */
export function printedSeed(title: string): number {
  const seed = Number(process.env['AISEC_TEST_SEED'] ?? Date.now() % 1_000_000);
  process.stderr.write(`${title}: AISEC_TEST_SEED=${seed}\n`);
  return seed;
}

/** Whether the long variants of random tests are wanted. */
export const IS_LONG = process.env['AISEC_TEST_LONG'] === '1';
