import { aisecCommand } from '../../base/package/aisec-command.js';
import type { Finding } from '../../base/finding.js';
import { areListsFit, fitLists } from './fit.js';
import { MAIN_INDEX, type VectorIndex, type VectorState } from './vector-index.js';

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

export function vectorFinding(
  kind: VectorFindingKind,
  index: string,
  message: string,
  impact: string,
  fix: string,
): VectorFinding {
  return { id: `vector-${kind}:${index}`, kind, severity: SEVERITY[kind], object: index, message, impact, fix };
}

function leftoverFindings(indexes: readonly VectorIndex[], rebuild: string): readonly VectorFinding[] {
  const impact = 'it costs every write and serves no search';
  return indexes.flatMap(({ name, isValid, isBuilding }) => {
    if (isBuilding) return [];
    if (name.startsWith(`${MAIN_INDEX}_`))
      return [vectorFinding('left-over-index', name, `${name} is left over from a rebuild`, impact, rebuild)];
    return isValid ? [] : [vectorFinding('invalid-index', name, `${name} is INVALID`, impact, rebuild)];
  });
}

/** What the catalog alone shows of the index. Looks at nothing but its arguments. */
export function indexFindings({ rows, indexes }: VectorState, schema: string): readonly VectorFinding[] {
  const rebuild = aisecCommand('vector rebuild', schema);
  const main = indexes.find(({ name }) => name === MAIN_INDEX);
  const found = [...leftoverFindings(indexes, rebuild)];
  if (main === undefined)
    found.push(
      vectorFinding(
        'missing-index',
        MAIN_INDEX,
        `${MAIN_INDEX} is missing`,
        `each search compares all ${rows} rows`,
        rebuild,
      ),
    );
  else if (main.lists !== null && rows > 0 && !areListsFit(main.lists, rows))
    found.push(
      vectorFinding(
        'lists',
        MAIN_INDEX,
        `${main.lists} lists do not fit ${rows} rows; ${fitLists(rows)} would`,
        'searches read too much, or miss rows',
        rebuild,
      ),
    );
  return found;
}
