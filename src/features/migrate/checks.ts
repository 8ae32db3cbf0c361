import path from 'node:path';

import type { Session } from '../../adapters/postgres/session.js';
import { aisecCommand, shellWord } from '../../base/package/aisec-command.js';
import { SEVERITIES, type Finding } from '../../base/finding.js';
import type { MigrationState, MigrationStatus } from './history/compare.js';
import { labelOf } from './files/source.js';
import { ADVICE, describeFault, isFault } from './history/history-faults.js';
import { disagreements, type Disagreement } from './history/unpaired.js';
import { compareWithDatabase, type MigrateSettings } from './prepare.js';

export { foreignObjects, type ForeignObject } from './ownership.js';
export { shadowFindings } from './shadows.js';
export type { MigrateSettings };

export type MigrationFindingKind = Exclude<MigrationState, 'applied'>;

/** Where files and history of the database differ. */
export interface MigrationFinding extends Finding {
  readonly kind: MigrationFindingKind;
}

const IMPACT: Readonly<Record<MigrationFindingKind, string>> = {
  pending: 'the schema is older than the program expects',
  late: '`migrate up` refuses to continue until it is settled where it belongs',
  edited: 'a new database would not be built like this one, and `migrate up` refuses to continue',
  missing: 'a new database would not be built like this one, and `migrate up` refuses to continue',
  newer: 'this version of the program does not know what the newer one has changed',
  foreign: 'two programs write one history, and `migrate up` refuses to continue',
  renamed: 'it would run a second time, so `migrate up` refuses to continue',
  unpaired:
    'what is applied, and in which order, is not certain, so `migrate up` and `migrate down` refuse to continue; the repair asks before it restores',
  incomplete: 'a part of its statements has been done, and the rest has not',
};

/** The others are critical. */
const WARNINGS: ReadonlySet<MigrationFindingKind> = new Set(['pending', 'late', 'newer']);

/** The command that fixes it; null where only a person can decide. */
function fixOf({ name, state, renamedTo }: MigrationStatus, { schema, files }: MigrateSettings): string | null {
  if (state === 'pending' || state === 'incomplete') return aisecCommand('migrate up', schema);
  if (state === 'late') return aisecCommand('migrate up --allow-late', schema);
  const renamed = files.find((file) => file.name === renamedTo);
  if (state !== 'renamed' || renamed === undefined) return null;
  return `mv ${shellWord(renamed.path)} ${shellWord(path.join(path.dirname(renamed.path), `${name}.sql`))}`;
}

function messageOf(status: MigrationStatus): string {
  if (isFault(status)) return describeFault(status);
  const { state, entry } = status;
  const name = labelOf(status);
  if (state !== 'incomplete') return `${name} is not applied`;
  return `${name} stopped after ${entry?.statementsDone ?? 0} of ${entry?.statementsTotal ?? 0} statements`;
}

function findingOf(status: MigrationStatus, settings: MigrateSettings): MigrationFinding {
  const kind = status.state as MigrationFindingKind;
  return {
    id: `migration-${kind}:${labelOf(status)}`,
    kind,
    severity: WARNINGS.has(kind) ? 'warning' : 'critical',
    object: labelOf(status),
    message: messageOf(status),
    impact: isFault(status) ? `${IMPACT[kind]}. ${ADVICE[status.state]}` : IMPACT[kind],
    fix: fixOf(status, settings),
  };
}

/** One for all rows that a table lacks: one repair restores them. */
function unpairedFinding({ table, message }: Disagreement, { schema }: MigrateSettings): MigrationFinding {
  return {
    id: `migration-unpaired:${table}`,
    kind: 'unpaired',
    severity: 'critical',
    object: table,
    message,
    impact: IMPACT.unpaired,
    fix: aisecCommand('migrate repair', schema),
  };
}

/**
 * The migrations that are not simply applied, the worst first: `migrate up` works once these are fixed. Reads only; SELECT on the history is enough.
 *
 * @throws AisecError PRIVILEGE_MISSING.
 */
export async function checkMigrations(
  session: Session,
  settings: MigrateSettings,
): Promise<readonly MigrationFinding[]> {
  const { statuses } = await compareWithDatabase(session, settings);
  const others = statuses.filter(({ state }) => state !== 'applied' && state !== 'unpaired');
  const findings = [
    ...disagreements(statuses).map((disagreement) => unpairedFinding(disagreement, settings)),
    ...others.map((status) => findingOf(status, settings)),
  ];
  return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}
