import type { VectorType } from '../../schema/half-vector.js';
import type { Method, VectorIndex, VectorState } from './vector-index.js';

/** What is to be built. */
export interface IndexShape {
  readonly method: Method;
  readonly type: VectorType;
  readonly lists: number | null;
  readonly m: number | null;
  readonly efConstruction: number | null;
}

export interface ShapeOptions {
  /** Undefined: as the index is now; hnsw when there is none. */
  readonly method: Method | undefined;
  /** Undefined: as the index is now; vector when there is none. */
  readonly type: VectorType | undefined;
  /** Undefined: fitted to the rows. */
  readonly lists: number | undefined;
  readonly m: number;
  readonly efConstruction: number;
}

const MOST_LISTS = 32_768;
const MILLION = 1_000_000;

/** pgvector's advice: a list for each thousand rows, from a million on the square root of the rows. */
export function fitLists(rows: number): number {
  const lists = rows <= MILLION ? rows / 1000 : Math.sqrt(rows);
  return Math.max(1, Math.min(MOST_LISTS, Math.round(lists)));
}

export function wantedShape(state: VectorState, main: VectorIndex | undefined, settings: ShapeOptions): IndexShape {
  const method = settings.method ?? main?.method ?? 'hnsw';
  const type = settings.type ?? main?.type ?? 'vector';
  if (method === 'hnsw') return { method, type, lists: null, m: settings.m, efConstruction: settings.efConstruction };
  return { method, type, lists: settings.lists ?? fitLists(state.rows), m: null, efConstruction: null };
}

/** Whether a number of lists is as good as the fitted one: recall and speed change little within a factor of two. */
export function areListsFit(lists: number, rows: number): boolean {
  const fit = fitLists(rows);
  return lists <= fit * 2 && lists * 2 >= fit;
}

/**
 * Memory a build works in without spilling: the sample of k-means (ivfflat fails with less), or the graph (hnsw becomes many
 * times slower with less). By pgvector 0.8's own sizes, a little more.
 */
export function buildMemoryBytes(state: VectorState, shape: IndexShape): number {
  const vectorBytes = 8 + (shape.type === 'halfvec' ? 2 : 4) * state.dimensions;
  if (shape.method === 'hnsw') return Math.ceil(state.rows * (vectorBytes + 48 * (shape.m ?? 16) + 300));
  const lists = shape.lists ?? 1;
  const samples = Math.max(10_000, lists * 50);
  return Math.ceil(1.1 * (samples * (vectorBytes + 4 * lists + 8) + 2 * lists * vectorBytes + 4 * lists * lists));
}
