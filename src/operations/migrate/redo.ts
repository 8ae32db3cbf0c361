import { withRunLock } from '../../adapters/postgres/advisory-lock.js';
import type { Session } from '../../adapters/postgres/session.js';
import { applyInTransaction } from './apply.js';
import { applyWithoutTransaction } from './apply-without-transaction.js';
import { planDown, revertOne, type DownOptions } from './down.js';
import { compareWithDatabase } from './prepare.js';
import type { Reporting } from './reporting.js';
import type { AppliedMigration } from './up.js';

export interface RedoResult {
  readonly database: string;
  readonly schema: string;
  readonly redone: readonly AppliedMigration[];
}

/**
 * Reverts the newest migration and applies that one again, under one lock. Pending ones stay pending.
 *
 * @throws AisecError as `migrateDown` and `migrateUp`.
 */
export async function migrateRedo(
  session: Session,
  options: Omit<DownOptions, 'target'>,
  confirm: (plan: readonly string[]) => Promise<void>,
  reporting: Reporting,
): Promise<RedoResult> {
  return withRunLock(session, { waitMs: options.waitMs }, async () => {
    const { statuses } = await compareWithDatabase(session, options);
    const [status] = planDown(statuses, { kind: 'one' });
    const database = session.info.label;
    if (status?.file === undefined) return { database, schema: options.schema, redone: [] };
    await confirm([status.name]);
    const apply = { ...options, onProgress: reporting.onProgress };
    reporting.onProgress(`reverting ${status.name}`);
    const down = await revertOne(session, status, apply, reporting);
    reporting.onProgress(`applying ${status.name}`);
    const startedMs = performance.now();
    if (status.file.isTransactional) await applyInTransaction(session, status.file, 'up', apply);
    else
      await applyWithoutTransaction(session, { file: status.file, entry: undefined }, 'up', apply, reporting.onWarning);
    const durationMs = down.durationMs + Math.round(performance.now() - startedMs);
    return { database, schema: options.schema, redone: [{ name: status.name, durationMs }] };
  });
}
