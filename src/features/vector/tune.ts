import type { Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import {
  currentEffort,
  EFFORT_SETTING,
  measureIndex,
  NEIGHBOURS,
  sampleQueries,
  searchAll,
  trueNeighbours,
  type Measurement,
} from './recall.js';
import { describeIndex, MAIN_INDEX, readVectorState, type VectorIndex } from './vector-index.js';

export interface TuneOptions {
  readonly schema: string;
  readonly sample: number;
  /** 0 to 1. */
  readonly wantedRecall: number;
}

export interface TriedEffort extends Measurement {
  readonly value: number;
}

export interface TuneResult {
  readonly database: string;
  readonly schema: string;
  readonly rows: number;
  readonly index: string;
  readonly setting: string;
  readonly currentValue: number;
  readonly neighbours: number;
  readonly queries: number;
  readonly wantedRecall: number;
  /** In order of the value. */
  readonly tried: readonly TriedEffort[];
  /** The least value that reaches the wanted recall; null when none does. */
  readonly best: TriedEffort | null;
  /** One search that compares every row. */
  readonly exactMedianMs: number;
  /** What the owner of the database runs to make it so for every role; nothing is stored by aisec. */
  readonly statement: string | null;
}

const EXACT_SEARCHES = 5;

/** Least, and most: hnsw must keep as many candidates as are asked for. */
function bounds(index: VectorIndex): readonly [least: number, most: number] {
  return index.method === 'hnsw' ? [NEIGHBOURS + 1, 1000] : [1, index.lists ?? 1];
}

/** Doubles until it is enough, then halves the gap until it is a tenth: recall hardly ever falls with more effort. */
async function search(
  [least, most]: readonly [number, number],
  wantedRecall: number,
  measure: (value: number) => Promise<TriedEffort>,
): Promise<readonly TriedEffort[]> {
  const tried: TriedEffort[] = [];
  const enough = (result: TriedEffort): boolean => result.recall >= wantedRecall;
  let tooLittle = least - 1;
  let value = least;
  for (;;) {
    const result = await measure(value);
    tried.push(result);
    if (enough(result)) break;
    tooLittle = value;
    if (value === most) return tried;
    value = Math.min(most, value * 2);
  }
  while (value - tooLittle > Math.max(1, Math.floor(value / 10))) {
    const middle = Math.floor((tooLittle + value) / 2);
    const result = await measure(middle);
    tried.push(result);
    if (enough(result)) value = middle;
    else tooLittle = middle;
  }
  return tried.toSorted((a, b) => a.value - b.value);
}

/**
 * The cheapest hnsw.ef_search or ivfflat.probes that reaches a wanted recall on the table's own rows. Reads only: to set it
 * is the owner's decision, and the result says how.
 *
 * @throws AisecError VECTOR_INDEX without a valid index or without rows; MIGRATION_PENDING, PRIVILEGE_MISSING, INTERRUPTED.
 */
export async function tuneVectorSearch(
  session: Session,
  { schema, sample, wantedRecall }: TuneOptions,
  onProgress: (text: string) => void,
): Promise<TuneResult> {
  const state = await readVectorState(session, schema);
  const index = state.indexes.find(({ name }) => name === MAIN_INDEX);
  if (index === undefined || !index.isValid || state.rows < 2) {
    const what = index === undefined ? `${MAIN_INDEX} is missing` : `${MAIN_INDEX} is INVALID`;
    const isEmpty = state.rows < 2;
    throw new AisecError('VECTOR_INDEX', isEmpty ? 'knowledge_base has too few embeddings to measure on' : what, {
      hint: isEmpty ? 'Load the rows first.' : 'Run: aisec vector rebuild',
    });
  }
  const setting = EFFORT_SETTING[index.method];
  const currentValue = await currentEffort(session, index.method);
  const queries = await sampleQueries(session, schema, sample);
  const truths = await trueNeighbours(session, schema, queries, state.heapBlocks, onProgress);
  const used = { type: index.type, dimensions: state.dimensions };
  const tried = await search(bounds(index), wantedRecall, async (value) => {
    onProgress(`searching with ${setting} = ${value}`);
    return { value, ...(await measureIndex(session, schema, truths, { effort: { setting, value }, index: used })) };
  });
  const exact = await searchAll(session, schema, queries.slice(0, EXACT_SEARCHES), { effort: null, index: null });
  const times = exact.map(({ durationMs }) => durationMs).toSorted((a, b) => a - b);
  const best = tried.find(({ recall }) => recall >= wantedRecall) ?? null;
  return {
    database: session.info.label,
    schema,
    rows: state.rows,
    index: describeIndex(index),
    setting,
    currentValue,
    neighbours: NEIGHBOURS,
    queries: queries.length,
    wantedRecall,
    tried,
    best,
    exactMedianMs: times[Math.floor(times.length / 2)] ?? 0,
    statement:
      best === null
        ? null
        : `alter database ${quoteIdentifier(session.info.databaseName)} set ${setting} = ${best.value};`,
  };
}
