import type { Random } from '../../../base/random.js';
import type { MaskKey } from './mask-key.js';

interface Rotation {
  readonly order: Uint32Array;
  readonly signs: Float64Array;
  readonly mirrors: readonly Float64Array[];
}

const MIRRORS = 3;

function unitVector(length: number, random: Random): Float64Array {
  const vector = Float64Array.from({ length }, () => random.normal());
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

function rotationOf(length: number, random: Random): Rotation {
  const order = Uint32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return {
    order,
    signs: Float64Array.from({ length }, () => (random.chance(0.5) ? 1 : -1)),
    mirrors: Array.from({ length: MIRRORS }, () => unitVector(length, random)),
  };
}

/**
 * Rotates embeddings by one secret rotation for each number of dimensions: norms and the distances between rows stay, so
 * that a search finds the same neighbours; what a model would read out of them is gone.
 */
export class EmbeddingMask {
  readonly #key: MaskKey;
  readonly #rotations = new Map<number, Rotation>();

  constructor(key: MaskKey) {
    this.#key = key;
  }

  /** @param text as pgvector prints a vector: `[1,2,3]` */
  mask(text: string): string {
    const values = Float64Array.from(text.slice(1, -1).split(','), Number);
    const { order, signs, mirrors } = this.#rotation(values.length);
    let rotated = Float64Array.from(order, (from, index) => (values[from] ?? 0) * (signs[index] ?? 1));
    for (const mirror of mirrors) {
      let along = 0;
      for (const [index, value] of rotated.entries()) along += value * (mirror[index] ?? 0);
      rotated = rotated.map((value, index) => value - 2 * along * (mirror[index] ?? 0));
    }
    return `[${Array.from(rotated, (value) => Math.fround(value).toPrecision(9))
      .map(Number)
      .join(',')}]`;
  }

  #rotation(length: number): Rotation {
    const known = this.#rotations.get(length);
    if (known !== undefined) return known;
    const rotation = rotationOf(length, this.#key.random('embedding', String(length)));
    this.#rotations.set(length, rotation);
    return rotation;
  }
}
