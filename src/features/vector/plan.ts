import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { areListsFit, type IndexShape } from './fit.js';
import {
  builtOnComment,
  MAIN_INDEX,
  NEXT_INDEX,
  OLD_INDEX,
  tableName,
  type VectorIndex,
  type VectorState,
} from './vector-index.js';

/** `rename` is one short transaction; the other two do not block writers however long they take. */
export interface RebuildStep {
  readonly kind: 'drop' | 'create' | 'rename';
  readonly why: string;
  readonly statements: readonly string[];
}

export interface PlanOptions {
  readonly schema: string;
  readonly shape: IndexShape;
  /** The lists were given rather than fitted. */
  readonly areListsGiven: boolean;
  readonly isForced: boolean;
  /** False where there is only one session anyway (embedded). */
  readonly isConcurrent: boolean;
}

function isLike(index: VectorIndex, { shape, areListsGiven }: PlanOptions, rows: number): boolean {
  if (!index.isValid || index.method !== shape.method || index.type !== shape.type) return false;
  if (shape.method === 'hnsw') return index.m === shape.m && index.efConstruction === shape.efConstruction;
  return areListsGiven ? index.lists === shape.lists : areListsFit(index.lists ?? 0, rows);
}

/** hnsw learns with every row. ivfflat keeps the lists it was trained with, so it must have seen rows like today's. */
export function isTrained(index: VectorIndex, rows: number): boolean {
  if (index.method === 'hnsw') return true;
  return index.builtOnRows !== null && index.builtOnRows * 2 >= rows && rows * 2 >= index.builtOnRows;
}

function definition({ method, type, lists, m, efConstruction }: IndexShape, dimensions: number): string {
  const column = type === 'vector' ? 'embedding' : `(embedding::halfvec(${dimensions}))`;
  const options = method === 'ivfflat' ? `lists = ${lists}` : `m = ${m}, ef_construction = ${efConstruction}`;
  return `using ${method} (${column} ${type}_cosine_ops) with (${options})`;
}

/**
 * What a rebuild does, in order, from whatever an earlier one left behind at whatever moment it was killed: an index
 * of the working name that is INVALID or not as wanted goes; one that is finished is put in place; one that was replaced
 * is dropped. Looks at nothing but its arguments. Empty: nothing to do.
 */
export function planRebuild(state: VectorState, options: PlanOptions): readonly RebuildStep[] {
  const { schema, shape, isConcurrent } = options;
  const find = (name: string): VectorIndex | undefined => state.indexes.find((index) => index.name === name);
  const [main, next, old] = [find(MAIN_INDEX), find(NEXT_INDEX), find(OLD_INDEX)];
  const qualified = (name: string): string => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  const concurrently = isConcurrent ? ' concurrently' : '';
  const drop = (name: string, why: string): RebuildStep => ({
    kind: 'drop',
    why,
    statements: [`drop index${concurrently} if exists ${qualified(name)}`],
  });
  const rename = (from: string, to: string): string =>
    `alter index ${qualified(from)} rename to ${quoteIdentifier(to)}`;

  const steps: RebuildStep[] = [];
  if (old !== undefined && main !== undefined) steps.push(drop(OLD_INDEX, 'replaced by an earlier run'));
  if (old !== undefined && main === undefined)
    steps.push({ kind: 'rename', why: 'it has no other name', statements: [rename(OLD_INDEX, MAIN_INDEX)] });
  const current = main ?? (old === undefined ? undefined : { ...old, name: MAIN_INDEX });
  const isReady = next !== undefined && isLike(next, options, state.rows);
  if (next !== undefined && !isReady) steps.push(drop(NEXT_INDEX, 'left unfinished by an earlier run'));
  const isCurrent = current !== undefined && isLike(current, options, state.rows) && isTrained(current, state.rows);
  // An ivfflat index that is built on no rows is the very fault that a rebuild fixes.
  const isPointless = shape.method === 'ivfflat' && state.rows === 0;
  if (!isReady && ((isCurrent && !options.isForced) || isPointless)) return steps;
  if (!isReady) {
    const create = `create index${concurrently} ${quoteIdentifier(NEXT_INDEX)} on ${tableName(schema)} ${definition(shape, state.dimensions)}`;
    steps.push({ kind: 'create', why: 'beside the one in use', statements: [create] });
  }
  steps.push({
    kind: 'rename',
    why: 'puts it in place',
    statements: [
      ...(current === undefined ? [] : [rename(MAIN_INDEX, OLD_INDEX)]),
      rename(NEXT_INDEX, MAIN_INDEX),
      `comment on index ${qualified(MAIN_INDEX)} is ${quoteLiteral(builtOnComment(state.rows))}`,
    ],
  });
  if (current !== undefined) steps.push(drop(OLD_INDEX, 'replaced'));
  return steps;
}
