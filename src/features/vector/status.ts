import type { Session } from '../../adapters/postgres/session.js';
import { currentEffort } from './effort.js';
import { areListsFit, fitLists } from './fit.js';
import { isTrained } from './plan.js';
import { EFFORT_SETTING, measureIndex, NEIGHBOURS, sampleQueries, trueNeighbours } from './recall.js';
import { MAIN_INDEX, readVectorState, type VectorIndex } from './vector-index.js';

export interface StatusOptions {
  readonly schema: string;
  /** Rows of the table that are searched for; 0: measure nothing. */
  readonly sample: number;
  /** What the recall ought to be, 0 to 1. */
  readonly expectedRecall: number;
}

export interface MeasuredRecall {
  readonly neighbours: number;
  readonly queries: number;
  readonly recall: number;
  readonly medianMs: number;
  readonly p95Ms: number;
}

export interface VectorStatus {
  readonly database: string;
  readonly schema: string;
  /** Rows with an embedding. */
  readonly rows: number;
  readonly indexes: readonly VectorIndex[];
  /** hnsw.ef_search or ivfflat.probes, as a session of this role has it; null without an index. */
  readonly effort: { readonly setting: string; readonly value: number } | null;
  /** Of ivfflat: what fits the rows; else null. */
  readonly fittedLists: number | null;
  readonly expectedRecall: number;
  /** Null when nothing was measured. */
  readonly measured: MeasuredRecall | null;
  /** False when a greater effort of the search may do. */
  readonly needsRebuild: boolean;
  /** Sentences; empty when all is well. */
  readonly problems: readonly string[];
}

function problemsOf(
  rows: number,
  indexes: readonly VectorIndex[],
  measured: MeasuredRecall | null,
  expectedRecall: number,
): readonly string[] {
  const main = indexes.find(({ name }) => name === MAIN_INDEX);
  const share = (value: number): string => `${(value * 100).toFixed(1)} %`;
  return [
    ...(main === undefined ? [`${MAIN_INDEX} is missing: every search compares every row`] : []),
    ...indexes.filter(({ isValid, isBuilding }) => !isValid && !isBuilding).map(({ name }) => `${name} is INVALID`),
    ...indexes
      .filter(({ name, isBuilding }) => name.startsWith(`${MAIN_INDEX}_`) && !isBuilding)
      .map(({ name }) => `${name} is left over from a rebuild that was stopped`),
    ...(main?.lists !== undefined && main.lists !== null && rows > 0 && !areListsFit(main.lists, rows)
      ? [`${main.lists} lists do not fit ${rows} rows; ${fitLists(rows)} would`]
      : []),
    ...(measured !== null && measured.recall < expectedRecall
      ? [`searches find ${share(measured.recall)} of the nearest rows, ${share(expectedRecall)} are expected`]
      : []),
  ];
}

/**
 * The vector index of knowledge_base: what it is, and, measured on a sample of the table's own rows against a comparison
 * with every row, how many of the nearest ones it finds. Reads only.
 *
 * @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING, INTERRUPTED, TERMINATED.
 */
export async function vectorStatus(
  session: Session,
  { schema, sample, expectedRecall }: StatusOptions,
  onProgress: (text: string) => void,
): Promise<VectorStatus> {
  const state = await readVectorState(session, schema);
  const main = state.indexes.find(({ name }) => name === MAIN_INDEX);
  const effort =
    main === undefined
      ? null
      : { setting: EFFORT_SETTING[main.method], value: await currentEffort(session, main.method) };
  let measured: MeasuredRecall | null = null;
  if (main?.isValid === true && sample > 0 && state.rows > 1) {
    const queries = await sampleQueries(session, schema, sample);
    const truths = await trueNeighbours(session, schema, queries, state.heapBlocks, onProgress);
    onProgress('searching by the index');
    const result = await measureIndex(session, schema, truths, null);
    measured = { neighbours: NEIGHBOURS, queries: queries.length, ...result };
  }
  return {
    database: session.info.label,
    schema,
    rows: state.rows,
    indexes: state.indexes,
    effort,
    fittedLists: main?.method === 'ivfflat' ? fitLists(state.rows) : null,
    expectedRecall,
    measured,
    needsRebuild:
      problemsOf(state.rows, state.indexes, null, 0).length > 0 ||
      (main?.method === 'ivfflat' && !isTrained(main, state.rows)),
    problems: problemsOf(state.rows, state.indexes, measured, expectedRecall),
  };
}
