import type { Session } from '../../adapters/postgres/session.js';
import { aisecCommand } from '../../base/package/aisec-command.js';
import { indexFindings, vectorFinding, type VectorFinding } from './finding.js';
import { fitLists } from './fit.js';
import { isTrained } from './plan.js';
import {
  currentEffort,
  EFFORT_SETTING,
  measureIndex,
  NEIGHBOURS,
  sampleQueries,
  trueNeighbours,
  type Measurement,
} from './recall.js';
import { MAIN_INDEX, readVectorState, type VectorIndex } from './vector-index.js';

export interface StatusOptions {
  readonly schema: string;
  /** Rows of the table that are searched for; 0: measure nothing. */
  readonly sample: number;
  /** What the recall ought to be, 0 to 1. */
  readonly expectedRecall: number;
}

export interface MeasuredRecall extends Measurement {
  readonly neighbours: number;
  readonly queries: number;
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
  readonly findings: readonly VectorFinding[];
}

function recallFindings(
  measured: MeasuredRecall | null,
  expectedRecall: number,
  command: string,
): readonly VectorFinding[] {
  if (measured === null || measured.recall >= expectedRecall) return [];
  const share = (value: number): string => `${(value * 100).toFixed(1)} %`;
  return [
    vectorFinding(
      'low-recall',
      MAIN_INDEX,
      `searches find ${share(measured.recall)} of the nearest rows, ${share(expectedRecall)} are expected`,
      'answers are made from less than what the assistant knows',
      command,
    ),
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
    const result = await measureIndex(session, schema, truths, {
      effort: null,
      index: { type: main.type, dimensions: state.dimensions },
    });
    measured = { neighbours: NEIGHBOURS, queries: queries.length, ...result };
  }
  const structure = indexFindings(state, schema);
  const needsRebuild = structure.length > 0 || (main?.method === 'ivfflat' && !isTrained(main, state.rows));
  const next = aisecCommand(needsRebuild ? 'vector rebuild' : 'vector tune', schema);
  return {
    database: session.info.label,
    schema,
    rows: state.rows,
    indexes: state.indexes,
    effort,
    fittedLists: main?.method === 'ivfflat' ? fitLists(state.rows) : null,
    expectedRecall,
    measured,
    needsRebuild,
    findings: [...structure, ...recallFindings(measured, expectedRecall, next)],
  };
}
