import type { CatalogConstraint, CatalogIndex } from '../../../adapters/catalog/catalog.js';
import { boundedName } from '../../../base/bounded-name.js';
import type { Change } from '../drift/change.js';
import { commentOfNew } from '../drift/fix/comments.js';
import { name } from '../drift/fix/names.js';
import { createIndex } from '../drift/fix/others.js';
import { isThere, rowsOf, type AdoptFacts } from './facts.js';
import { briefStep, RATES, workMs, type AdoptStep } from './step.js';

/** Behind the name of an index that has a name of ours and is another one. */
const ASIDE_SUFFIX = '_before_adopt';

/** As it is built on messages while that is one table. */
function onPlainTable({ definition }: CatalogIndex): string {
  return definition.replace(' ON ONLY ', ' ON ');
}

/** The valid index that has the name of one that is missing or another. */
function indexInTheWay(facts: AdoptFacts, { wanted, differences }: Change): CatalogIndex | undefined {
  if (wanted?.kind !== 'index' || wanted.item.primary || !isThere(facts, wanted.item.table)) return undefined;
  const found = facts.live.indexes.find((index) => index.name === wanted.item.name);
  if (found?.valid !== true || found.primary) return undefined;
  if (found.table !== wanted.item.table) return found;
  const isOther = differences.some(({ property }) => property === 'definition' || property === 'unique');
  return isOther && onPlainTable(found) !== onPlainTable(wanted.item) ? found : undefined;
}

function renamedTo(index: CatalogIndex, to: string): CatalogIndex {
  const definition = index.definition.replace(/(?<=^CREATE (?:UNIQUE )?INDEX )(?:"(?:[^"]|"")+"|\S+)/, name(to));
  return { ...index, name: to, definition };
}

export interface StandAside {
  readonly steps: readonly AdoptStep[];
  /** As they are afterwards: what had the name is an index of the application, and ours is missing. */
  readonly facts: AdoptFacts;
}

/** Indexes of the application that have the names of ours, and the constraints on them, get others and stay. */
export function standAside(facts: AdoptFacts): StandAside {
  const { live, changes } = facts;
  const inTheWay = changes.flatMap((change) => indexInTheWay(facts, change) ?? []);
  const aside = new Map(inTheWay.map((index) => [index.name, boundedName(index.name, { suffix: ASIDE_SUFFIX })]));
  const asideOf = (constraint: CatalogConstraint): string | undefined => {
    const index = inTheWay.find((found) => found.constraint === constraint.name && found.table === constraint.table);
    return index && aside.get(index.name);
  };
  const isAside = ({ live: found, wanted }: Change): boolean => {
    if (wanted?.kind === 'index') return aside.has(wanted.item.name);
    return found?.kind === 'constraint' && asideOf(found.item) !== undefined;
  };
  return {
    steps: inTheWay.flatMap(({ name: old, table }) =>
      briefStep('indexes', `${old} on ${table} is not as the migrations make it, and becomes ${aside.get(old) ?? ''}`, [
        `alter index ${name(old)} rename to ${name(aside.get(old) ?? '')}`,
      ]),
    ),
    facts: {
      ...facts,
      live: {
        ...live,
        constraints: live.constraints.map((one) => ({ ...one, name: asideOf(one) ?? one.name })),
        indexes: live.indexes.map((index) => {
          const to = aside.get(index.name);
          return to === undefined ? index : renamedTo(index, to);
        }),
      },
      changes: changes.map((change) => (isAside(change) ? { ...change, live: undefined } : change)),
    },
  };
}

function indexStep(facts: AdoptFacts, index: CatalogIndex): AdoptStep {
  const rows = rowsOf(facts, index.table);
  return {
    kind: 'alone',
    phase: 'indexes',
    what: `index ${index.name} on ${index.table}`,
    locks: [{ table: index.table, mode: 'share update exclusive', held: 'work' }],
    expectedMs: workMs(rows, RATES.index),
    statements: [
      createIndex({ ...index, definition: onPlainTable(index) }, false),
      ...commentOfNew({ kind: 'index', item: index }),
    ],
    index: index.name,
  };
}

/** Indexes that are missing or INVALID, built beside writers. Those behind constraints come with these. */
export function indexSteps(facts: AdoptFacts): readonly AdoptStep[] {
  return facts.changes.flatMap(({ live, wanted }) => {
    if (wanted?.kind !== 'index' || wanted.item.constraint !== null || !isThere(facts, wanted.item.table)) return [];
    const isMissing = live === undefined || (live.kind === 'index' && !live.item.valid);
    return isMissing ? [indexStep(facts, wanted.item)] : [];
  });
}
