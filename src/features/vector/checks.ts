import type { Session } from '../../adapters/postgres/session.js';
import { aisecCommand } from '../../base/package/aisec-command.js';
import { indexFindings, vectorFinding, type VectorFinding, type VectorFindingKind } from './finding.js';
import { currentEffort, EFFORT_SETTING, sampleQueries, searchAll } from './recall.js';
import { MAIN_INDEX, readVectorState, type VectorIndex, type VectorState } from './vector-index.js';

export type { VectorFinding, VectorFindingKind };

/** So few are compared one by one in a few milliseconds; an index is not worth a word. */
const FEW_ROWS = 1000;
const SEARCHES = 10;
const MORE_EFFORT = 10;
/** An index trained on nothing agrees in about a third, a trained one in 97 of 100. */
const LEAST_AGREEMENT = 0.8;

/**
 * How much of what the index finds with ten times the effort it finds as it is set: no less than its recall, and it costs a
 * few index scans instead of a pass over the table.
 */
async function agreement(
  session: Session,
  schema: string,
  { dimensions }: VectorState,
  { method, type, lists }: VectorIndex,
): Promise<number> {
  const setting = EFFORT_SETTING[method];
  const value = await currentEffort(session, method);
  const more = Math.min(method === 'hnsw' ? 1000 : (lists ?? 1), value * MORE_EFFORT);
  const queries = await sampleQueries(session, schema, SEARCHES);
  const options = { index: { type, dimensions } };
  const usual = await searchAll(session, schema, queries, { ...options, effort: null });
  const thorough = await searchAll(session, schema, queries, { ...options, effort: { setting, value: more } });
  let [found, wanted] = [0, 0];
  for (const [index, { found: best }] of thorough.entries()) {
    const ids = new Set(usual[index]?.found.map(({ id }) => id));
    wanted += best.length;
    found += best.filter(({ id }) => ids.has(id)).length;
  }
  return wanted === 0 ? 1 : found / wanted;
}

/**
 * What is wrong with the vector index of knowledge_base, without a pass over the table's embeddings; `aisec vector status`
 * measures it exactly. Reads only.
 *
 * @throws AisecError MIGRATION_PENDING, PRIVILEGE_MISSING for a role that does not see every row.
 */
export async function checkVectors(session: Session, schema: string): Promise<readonly VectorFinding[]> {
  const state = await readVectorState(session, schema);
  const { rows, indexes } = state;
  const main = indexes.find(({ name }) => name === MAIN_INDEX);
  const found = indexFindings(state, schema).filter(
    ({ kind }) => rows > FEW_ROWS || (kind !== 'missing-index' && kind !== 'lists'),
  );
  if (main === undefined || !main.isValid || rows <= FEW_ROWS) return found;
  const share = await agreement(session, schema, state, main);
  if (share >= LEAST_AGREEMENT) return found;
  const isUntrained = main.method === 'ivfflat' && main.builtOnRows === null;
  const recall = vectorFinding(
    'low-recall',
    MAIN_INDEX,
    `a search finds at most ${Math.round(share * 100)} % of the nearest rows`,
    isUntrained
      ? 'its lists were trained on other rows than these, or on none'
      : 'the effort of a search is too small for these rows',
    aisecCommand(isUntrained ? 'vector rebuild' : 'vector tune', schema),
  );
  return [...found.filter(({ kind }) => kind !== 'lists'), recall];
}
