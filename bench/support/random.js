/**
 * Random numbers that a seed repeats (mulberry32). What they decide is the same in every run; when it happens is not.
 *
 * @param {number} seed
 */
export function seededRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    /** A whole number from 0 to below the limit. @param {number} limit */
    below: (limit) => Math.floor(next() * limit),
    /** @template Item @param {readonly Item[]} items @returns {Item | undefined} */
    pick: (items) => items[Math.floor(next() * items.length)],
  };
}
