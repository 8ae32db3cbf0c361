import type { Session } from '../../adapters/postgres/session.js';
import { aisecCommand } from '../../base/aisec-command.js';
import type { Finding } from '../../base/finding.js';
import { currentEffort } from './effort.js';
import { areListsFit, fitLists } from './fit.js';
import { EFFORT_SETTING, sampleQueries, searchAll } from './recall.js';
import { MAIN_INDEX, readVectorState, type VectorIndex } from './vector-index.js';

export type VectorFindingKind = 'missing-index' | 'invalid-index' | 'left-over-index' | 'lists' | 'low-recall';

export interface VectorFinding extends Finding {
  readonly kind: VectorFindingKind;
}

const SEVERITY: Readonly<Record<VectorFindingKind, Finding['severity']>> = {
  'missing-index': 'warning',
  'invalid-index': 'warning',
  'left-over-index': 'warning',
  lists: 'warning',
  'low-recall': 'critical',
};

function vectorFinding(kind: VectorFindingKind, index: string, message: string, impact: string, fix: string): VectorFinding {
  return { id: `vector-${kind}:${index}`, kind, severity: SEVERITY[kind], object: index, message, impact, fix };
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
  const rebuild = aisecCommand('vector rebuild', schema);
  if (main === undefined && rows > FEW_ROWS)
    findings.push(
      vectorFinding(
        'missing-index',
        MAIN_INDEX,
        `${MAIN_INDEX} is missing`,
        `each search compares all ${rows} rows`,
        rebuild,
      ),
    );
  for (const { name, isValid, isBuilding } of indexes) {
    if (isBuilding) continue;
    const impact = 'it costs every write and serves no search';
    if (name.startsWith(`${MAIN_INDEX}_`))
      findings.push(vectorFinding('left-over-index', name, `${name} is left over from a rebuild`, impact, rebuild));
    else if (!isValid) findings.push(vectorFinding('invalid-index', name, `${name} is INVALID`, impact, rebuild));
  }
  if (main === undefined || !main.isValid || rows <= FEW_ROWS) return findings;
  const share = await agreement(session, schema, main);
  const isUntrained = main.method === 'ivfflat' && main.builtOnRows === null;
  if (share < LEAST_AGREEMENT)
    findings.push(
      vectorFinding(
        'low-recall',
        MAIN_INDEX,
        `a search finds at most ${Math.round(share * 100)} % of the nearest rows`,
        isUntrained
          ? 'its lists were trained on other rows than these, or on none'
          : 'the effort of a search is too small for these rows',
        isUntrained ? rebuild : aisecCommand('vector tune', schema),
      ),
    );
  else if (main.lists !== null && !areListsFit(main.lists, rows))
    findings.push(
      vectorFinding(
        'lists',
        MAIN_INDEX,
        `${main.lists} lists for ${rows} rows; ${fitLists(rows)} would fit`,
        'searches read too much, or miss rows',
        rebuild,
      ),
    );
  return findings;
}
