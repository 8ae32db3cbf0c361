import type { Direction } from '../../../adapters/migration-engine/engine.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { startAgain } from '../../../adapters/postgres/start-again.js';
import { applyInTransaction, type RunOptions } from './apply.js';
import { applyWithoutTransaction, type Target } from './apply-without-transaction.js';
import { mayLeave, tellLeftBehind } from './left-behind.js';
import type { SourcedName } from '../files/source.js';
import type { Reporting } from '../../../base/reporting.js';

/** A migration that was applied or reverted. */
export interface DoneMigration extends SourcedName {
  readonly durationMs: number;
}

/**
 * Runs one migration the way its file asks for, in a session as it was opened, and leaves it so, whatever the migration
 * has set.
 *
 * @throws AisecError as `applyInTransaction`, `applyWithoutTransaction`.
 */
export async function runOne(
  session: Session,
  target: Target,
  direction: Direction,
  options: RunOptions,
  reporting: Reporting,
): Promise<DoneMigration> {
  const { file } = target;
  const startedMs = performance.now();
  if (file.isTransactional) await applyInTransaction(session, file, direction, options, reporting);
  else await applyWithoutTransaction(session, target, direction, options, reporting);
  if (mayLeave(file, direction)) await tellLeftBehind(session, file, reporting);
  if (mayLeave(file, direction) || !file.isTransactional) await startAgain(session);
  return { source: file.source, name: file.name, durationMs: Math.round(performance.now() - startedMs) };
}
