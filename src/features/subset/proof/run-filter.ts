/** A run: as many characters of an original text as must not stand in the result. */
export const RUN_LENGTH = 12;
/** A run of spaces, lines or marks says nothing: as many of them must be letters or digits. */
const LEAST_LETTERS = 8;

const [FIRST_BASE, SECOND_BASE] = [0x01000193, 0x85ebca6b];

/** The power by which a character leaves a rolling hash. */
function power(base: number): number {
  let result = 1;
  for (let step = 0; step < RUN_LENGTH; step += 1) result = Math.imul(result, base);
  return result;
}

const [FIRST_POWER, SECOND_POWER] = [power(FIRST_BASE), power(SECOND_BASE)];

const LETTERS = /[\p{L}\p{Nd}\p{Cs}]/u;
/** For each UTF-16 unit: 1 a letter or digit, 2 none, 0 not looked at yet. */
const letterTable = new Uint8Array(65_536);

function isLetter(unit: number): boolean {
  if (letterTable[unit] === 0) letterTable[unit] = LETTERS.test(String.fromCharCode(unit)) ? 1 : 2;
  return letterTable[unit] === 1;
}

/** Calls back with two hashes of every run of a text, until it answers true. Returns where that run begins, else -1. */
function eachRun(text: string, visit: (first: number, second: number) => boolean): number {
  let [first, second, letters] = [0, 0, 0];
  for (let end = 0; end < text.length; end += 1) {
    const unit = text.charCodeAt(end);
    first = (Math.imul(first, FIRST_BASE) + unit) | 0;
    second = (Math.imul(second, SECOND_BASE) + unit) | 0;
    if (isLetter(unit)) letters += 1;
    const start = end - RUN_LENGTH;
    if (start >= 0) {
      const left = text.charCodeAt(start);
      first = (first - Math.imul(left, FIRST_POWER)) | 0;
      second = (second - Math.imul(left, SECOND_POWER)) | 0;
      if (isLetter(left)) letters -= 1;
    }
    if (start >= -1 && letters >= LEAST_LETTERS && visit(first, second)) return start + 1;
  }
  return -1;
}

function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x7feb352d);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const HASHES = 4;
const SMALLEST_BITS = 2 ** 23;
const LARGEST_BITS = 2 ** 31;
/** A filter with as many bits for each run answers wrongly for one run in a million. */
const BITS_A_RUN = 64;

/** A Bloom filter (https://dl.acm.org/doi/10.1145/362686.362692). */
class Filter {
  readonly bits: number;
  readonly #words: Uint32Array;
  count = 0;

  constructor(bits: number) {
    this.bits = bits;
    this.#words = new Uint32Array(bits / 32);
  }

  add(first: number, second: number): void {
    for (let index = 0; index < HASHES; index += 1) {
      const bit = mix((first + Math.imul(index, second | 1)) | 0) % this.bits;
      this.#words[bit >>> 5] = (this.#words[bit >>> 5] ?? 0) | (1 << (bit & 31));
    }
    this.count += 1;
  }

  has(first: number, second: number): boolean {
    for (let index = 0; index < HASHES; index += 1) {
      const bit = mix((first + Math.imul(index, second | 1)) | 0) % this.bits;
      if (((this.#words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}

/** All runs of the original texts, in memory that grows with their number up to half a gigabyte; never misses one. */
export class RunFilter {
  readonly #filters: Filter[] = [new Filter(SMALLEST_BITS)];
  count = 0;

  add(text: string): void {
    eachRun(text, (first, second) => {
      if (this.#has(first, second)) return false;
      this.#current().add(first, second);
      this.count += 1;
      return false;
    });
  }

  /** Where a run that may be an original one begins, from a place on; -1 where there is none. */
  find(text: string): number {
    return eachRun(text, (first, second) => this.#has(first, second));
  }

  #has(first: number, second: number): boolean {
    return this.#filters.some((filter) => filter.has(first, second));
  }

  #current(): Filter {
    const last = this.#filters.at(-1);
    if (last !== undefined && (last.count < last.bits / BITS_A_RUN || last.bits >= LARGEST_BITS)) return last;
    const next = new Filter(Math.min((last?.bits ?? SMALLEST_BITS) * 2, LARGEST_BITS));
    this.#filters.push(next);
    return next;
  }
}
