import type { Random } from '../../../base/random.js';

const DIMENSIONS = 1536;
/** Directions in which the texts of one subject differ: real embeddings vary in few, not in all 1536. */
const DIRECTIONS = 8;
const SPREAD = 0.25;
const NOISE = 0.25;
const SCALE = 1e6;

function unitVector(random: Random): Float64Array {
  const vector = Float64Array.from({ length: DIMENSIONS }, () => random.normal());
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}

/** A subject: embeddings of texts about it lie around its centre. */
export interface Cluster {
  readonly center: Float64Array;
  readonly directions: readonly Float64Array[];
}

export function createCluster(random: Random): Cluster {
  return { center: unitVector(random), directions: Array.from({ length: DIRECTIONS }, () => unitVector(random)) };
}

/** Noise by the four bytes of one random number: nearly normal, and ten times as fast as a normal one. */
function smallNoise(random: Random): number {
  const bits = random.bits();
  return ((bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510) / 147.8;
}

/** An embedding of length 1 near the centre of a cluster, as the text that type `vector` reads. */
export function embeddingNear({ center, directions }: Cluster, random: Random): string {
  const vector = Float64Array.from(center);
  for (const direction of directions) {
    const share = SPREAD * random.normal();
    for (let index = 0; index < DIMENSIONS; index += 1)
      vector[index] = (vector[index] ?? 0) + share * (direction[index] ?? 0);
  }
  const noise = NOISE / Math.sqrt(DIMENSIONS);
  let squares = 0;
  for (let index = 0; index < DIMENSIONS; index += 1) {
    const value = (vector[index] ?? 0) + noise * smallNoise(random);
    vector[index] = value;
    squares += value * value;
  }
  // Whole millionths: writing an integer takes a fifth of the time of a fraction.
  const factor = SCALE / Math.sqrt(squares);
  let text = '[';
  for (let index = 0; index < DIMENSIONS; index += 1)
    text += `${index === 0 ? '' : ','}${Math.round((vector[index] ?? 0) * factor)}e-6`;
  return `${text}]`;
}
