import type { Session } from '../../adapters/postgres/session.js';
import { aisecCommand } from '../../base/aisec-command.js';
import { currentEffort } from './effort.js';
import { areListsFit, fitLists } from './fit.js';
import { EFFORT_SETTING, sampleQueries, searchAll } from './recall.js';
import { MAIN_INDEX, readVectorState, type VectorIndex } from './vector-index.js';

export type VectorFindingKind = 'missing-index' | 'invalid-index' | 'left-over-index' | 'lists' | 'low-recall';

/** One thing that is not as it should be. */
export interface VectorFinding {
  readonly kind: VectorFindingKind;
  readonly index: string;
  readonly what: string;
  /** What comes of it. */
  readonly why: string;
  /** The command that mends it. */
  readonly mend: string;
}

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
async function agreement(session: Session, schema: string, { method, lists }: VectorIndex): Promise<number> {
  const setting = EFFORT_SETTING[method];
  const value = await currentEffort(session, method);
  const more = Math.min(method === 'hnsw' ? 1000 : (lists ?? 1), value * MORE_EFFORT);
  const queries = await sampleQueries(session, schema, SEARCHES);
  const options = { usesIndex: true };
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
  const { rows, indexes } = await readVectorState(session, schema);
  const main = indexes.find(({ name }) => name === MAIN_INDEX);
  const findings: VectorFinding[] = [];
  const mend = aisecCommand('vector rebuild', schema);
  if (main === undefined && rows > FEW_ROWS) {
    const why = `each search compares all ${rows} rows`;
    findings.push({ kind: 'missing-index', index: MAIN_INDEX, what: `${MAIN_INDEX} is missing`, why, mend });
  }
  for (const { name, isValid, isBuilding } of indexes) {
    if (isBuilding) continue;
    const why = 'it costs every write and serves no search';
    if (name.startsWith(`${MAIN_INDEX}_`))
      findings.push({ kind: 'left-over-index', index: name, what: `${name} is left over from a rebuild`, why, mend });
    else if (!isValid) findings.push({ kind: 'invalid-index', index: name, what: `${name} is INVALID`, why, mend });
  }
  if (main === undefined || !main.isValid || rows <= FEW_ROWS) return findings;
  const share = await agreement(session, schema, main);
  if (share < LEAST_AGREEMENT) {
    findings.push({
      kind: 'low-recall',
      index: MAIN_INDEX,
      what: `a search finds at most ${Math.round(share * 100)} % of the nearest rows`,
      why:
        main.method === 'ivfflat' && main.builtOnRows === null
          ? 'its lists were trained on other rows than these, or on none'
          : 'the effort of a search is too small for these rows',
      mend: main.method === 'ivfflat' && main.builtOnRows === null ? mend : aisecCommand('vector tune', schema),
    });
  } else if (main.lists !== null && !areListsFit(main.lists, rows)) {
    const what = `${main.lists} lists for ${rows} rows; ${fitLists(rows)} would fit`;
    findings.push({ kind: 'lists', index: MAIN_INDEX, what, why: 'searches read too much, or miss rows', mend });
  }
  return findings;
}
