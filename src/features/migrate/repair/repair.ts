import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import type { Reporting } from '../../../base/reporting.js';
import { sourcesOf } from '../files/source.js';
import type { MigrateSettings } from '../prepare.js';
import { acceptingAction, healingActions, type RepairAction } from './plan.js';
import { repairText } from './sql.js';
import { readTables, type HistoryTables } from './tables.js';

export interface RepairOptions extends MigrateSettings {
  /** The recorded migration whose difference from its file is accepted; undefined: only the tables are healed. */
  readonly accept: string | undefined;
  /** Recorded with each change; undefined for what needs none. */
  readonly reason: string | undefined;
  readonly isDryRun: boolean;
  readonly waitMs: number;
  /** Sees the plan before anything is changed, and throws to refuse it. */
  readonly confirm: (actions: readonly RepairAction[]) => Promise<void>;
}

export interface RepairResult {
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** What was changed, or is to be. */
  readonly actions: readonly RepairAction[];
}

function refuseLostHistory(session: Session, histories: readonly HistoryTables[]): void {
  const rows = histories.reduce((sum, { engine, own }) => sum + engine.length + own.length, 0);
  if (rows > 0) return;
  throw new AisecError(
    'MIGRATION_PENDING',
    `${session.info.label} records no migration, so that there is no history to repair`,
    {
      hint: 'Run: aisec migrate up. Is the schema there, and its history was lost? This compares it with the files and records them: aisec migrate baseline',
    },
  );
}

function planRepair(histories: readonly HistoryTables[], { accept, files }: RepairOptions): readonly RepairAction[] {
  const healing = histories.flatMap((tables) => healingActions(tables, files));
  if (accept === undefined) return healing;
  const accepting = acceptingAction(accept, histories, files);
  return accepting === undefined ? healing : [...healing, accepting];
}

/** A person has decided these, and says why. */
function needsReason({ kind }: RepairAction): boolean {
  return kind === 'accept edit' || kind === 'rename' || kind === 'forget';
}

async function repair(session: Session, options: RepairOptions): Promise<RepairResult> {
  const { schema, files, isDryRun, reason } = options;
  const histories: HistoryTables[] = [];
  const checksums = files.map(({ checksum }) => checksum);
  for (const source of sourcesOf(files)) histories.push(await readTables(session, schema, source, checksums));
  refuseLostHistory(session, histories);
  const actions = planRepair(histories, options);
  const result = { database: session.info.label, schema, isDryRun, actions };
  if (isDryRun || actions.length === 0) return result;
  if (actions.some(needsReason) && reason === undefined)
    throw new AisecError('USAGE', 'this repair needs a reason', {
      hint: 'Give it, for those who read the history later: --reason "the Down was wrong"',
    });
  await options.confirm(actions);
  await withTransaction(session, () =>
    session.query(repairText(schema, actions, files, reason ?? 'the tables of the history disagreed')),
  );
  return result;
}

/**
 * Puts the history right, in one transaction: rows that one of its tables has lost, rows of another program, and, for the
 * migration that is named, a file that was edited, renamed or removed. Nothing but the history changes, and each change is
 * recorded with who, when and why.
 *
 * @throws AisecError MIGRATION_UNKNOWN, MIGRATION_PENDING when nothing is recorded, USAGE without a reason, REFUSED, RUN_LOCKED.
 */
export async function repairHistory(
  session: Session,
  options: RepairOptions,
  reporting: Pick<Reporting, 'onProgress'>,
): Promise<RepairResult> {
  if (options.isDryRun) return repair(session, options);
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, () =>
    repair(session, options),
  );
}
