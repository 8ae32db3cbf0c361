import { withRunLock } from '../../adapters/postgres/advisory-lock.js';
import type { Session } from '../../adapters/postgres/session.js';
import { labelOf } from './files/source.js';
import { refuseOtherSources } from './history/other-sources.js';
import { lossesOf, planDown, type Confirm, type DownOptions } from './down.js';
import { compareWithDatabase } from './prepare.js';
import type { Reporting } from '../../base/reporting.js';
import { runOne, type DoneMigration } from './apply/run-one.js';

export interface RedoResult {
  readonly database: string;
  readonly schema: string;
  readonly redone: readonly DoneMigration[];
}

/**
 * Reverts the newest migration and applies that one again, under one lock. Pending ones stay pending.
 *
 * @throws AisecError as `migrateDown` and `migrateUp`.
 */
export async function migrateRedo(
  session: Session,
  options: Omit<DownOptions, 'target'>,
  confirm: Confirm,
  reporting: Reporting,
): Promise<RedoResult> {
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, async () => {
    const { statuses, otherSources } = await compareWithDatabase(session, options);
    const [status] = planDown(statuses, { kind: 'one' });
    const database = session.info.label;
    if (status === undefined) return { database, schema: options.schema, redone: [] };
    refuseOtherSources(otherSources, [status]);
    await confirm([labelOf(status)], await lossesOf(session, options.schema, [status]));
    reporting.onProgress(`reverting ${labelOf(status)}`);
    const down = await runOne(session, status, 'down', options, reporting);
    reporting.onProgress(`applying ${labelOf(status)}`);
    const up = await runOne(session, { file: status.file, entry: undefined }, 'up', options, reporting);
    const redone = [{ source: status.source, name: status.name, durationMs: down.durationMs + up.durationMs }];
    return { database, schema: options.schema, redone };
  });
}
