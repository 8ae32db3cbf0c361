import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import { renderDifference, type Difference } from '../../../adapters/catalog/difference.js';
import type { Finding, Severity } from '../../../base/finding.js';
import type { Change } from './change.js';
import { fixOf, inOrderOfFixes, searchPathStatement, type FixContext } from './fix/fix.js';
import { name } from './fix/names.js';
import { widerSide, type WiderSide } from './wider-side.js';

/** One object in which a database differs from its migrations. */
export interface DriftFinding extends Finding {
  readonly kind: string;
  readonly state: 'missing' | 'unmanaged' | 'extra' | 'changed';
  /** Of policies, grants and row-level security: which side lets more be seen or done; null for all else. */
  readonly wider: WiderSide | null;
  /** Each property: `before` in the database, `after` in the migrations. */
  readonly differences: readonly Difference[];
}

/** Whole objects beside those of the migrations disturb nothing: a history of another tool, tables of another program. */
const STANDS_BESIDE = new Set(['table', 'view', 'sequence', 'type', 'function', 'extension', 'partition']);

function stateOf({ kind, live, wanted }: Change): DriftFinding['state'] {
  if (live === undefined) return 'missing';
  if (wanted !== undefined) return 'changed';
  if (STANDS_BESIDE.has(kind)) return 'unmanaged';
  // Default privileges are the site's: what they grant on an object of the migrations is found at that object.
  return kind === 'grant' && live.kind === 'grant' && live.item.kind === 'default privileges' ? 'unmanaged' : 'extra';
}

const WIDER_TEXT: Readonly<Record<WiderSide, string>> = {
  database: 'the database lets more be seen or done than the migrations',
  migrations: 'the database lets less be seen or done than the migrations',
  undecided: 'the database lets other rows or commands through than the migrations',
};

function impactOf(change: Change, state: DriftFinding['state'], wider: WiderSide | null): string {
  const { kind, live } = change;
  if (state === 'unmanaged') return 'no migration makes it, so that a new database would not have it';
  if (wider !== null) return WIDER_TEXT[wider];
  if (state === 'missing') return 'the program and later migrations expect it';
  if (state === 'extra' && kind === 'column' && live?.kind === 'column')
    return `a new database would not have it; write a migration that adds it, or, with its values: alter table ${name(live.item.table)} drop column ${name(live.item.name)};`;
  if (kind === 'table' && change.differences.some(({ property }) => property === 'partitionKey'))
    return 'the commands for months of messages do not work; aisec migrate adopt changes it beside live traffic';
  return 'a new database would not be like this one';
}

function severityOf(state: DriftFinding['state'], wider: WiderSide | null): Severity {
  if (state === 'unmanaged') return 'notice';
  return wider === 'database' ? 'critical' : 'warning';
}

const PREFIX = {
  missing: 'not in the database: ',
  extra: 'not in the migrations: ',
  unmanaged: 'beside the migrations: ',
};

function messageOf({ kind, object, differences }: Change, state: DriftFinding['state']): string {
  if (state !== 'changed') return `${PREFIX[state]}${kind} ${object}`;
  return `database → migrations: ${differences.map(renderDifference).join('; ')}`;
}

/** Statements for psql, each ended, with the search_path that they need. */
function scriptOf(statements: readonly string[], context: FixContext): string {
  const path = searchPathStatement(context);
  return [...(path === null ? [] : [path]), ...statements].map((statement) => `${statement};`).join('\n');
}

/** The findings in an order in which their fixes can be run one after the other. */
export async function findingsOf(
  changes: readonly Change[],
  context: FixContext & { readonly live: CatalogSnapshot },
): Promise<readonly DriftFinding[]> {
  const findings: DriftFinding[] = [];
  for (const change of inOrderOfFixes(changes, context.wanted)) {
    const state = stateOf(change);
    const wider = await widerSide(change);
    const statements = state === 'unmanaged' ? null : fixOf(change, context);
    const { kind, object, differences } = change;
    findings.push({
      id: `${kind}-${state}:${object}`,
      severity: severityOf(state, wider),
      object: `${kind} ${object}`,
      message: messageOf(change, state),
      impact: impactOf(change, state, wider),
      fix: statements === null ? null : scriptOf(statements, context),
      kind,
      state,
      wider,
      differences,
    });
  }
  return findings;
}
