/**
 * Reproducible random numbers: sfc32 by Chris Doty-Humphrey (PractRand, public domain, http://pracrand.sourceforge.net),
 * seeded by a name and a number. Every thing of the demo data has a generator of its own, so that any of them can be
 * made again without those before it: nothing has to be kept in memory.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(root: number, stream: number, index: number) {
    this.#a = root | 0;
    this.#b = Math.imul(stream, 0x9e3779b1) | 0;
    this.#c = index | 0;
    // As many as PractRand discards for a seed of three words.
    for (let round = 0; round < 15; round += 1) this.bits();
  }

  /** 32 random bits, as a signed integer. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum;
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return (this.bits() >>> 0) / 4_294_967_296;
  }

  /** From `least` up to, not including, `end`. */
  between(least: number, end: number): number {
    return least + this.fraction() * (end - least);
  }

  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** Exponentially distributed. */
  waiting(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  /** Normally distributed, mean 0, deviation 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.fraction())) * Math.cos(2 * Math.PI * this.fraction());
  }

  /** A version 4 UUID. */
  uuid(): string {
    const [one, two, three, four] = [this.bits(), this.bits(), this.bits(), this.bits()];
    const second = (two & 0xffff0fff) | 0x4000;
    const third = (three & 0x3fffffff) | 0x80000000;
    return `${hex16(one >>> 16)}${hex16(one)}-${hex16(second >>> 16)}-${hex16(second)}-${hex16(third >>> 16)}-${hex16(third)}${hex16(four >>> 16)}${hex16(four)}`;
  }
}

const HEX_16: readonly string[] = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));

function hex16(value: number): string {
  return HEX_16[value & 0xffff] ?? '';
}

/** A 32-bit number of a text: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash | 0;
}
