import { startAgain } from '../../../adapters/postgres/start-again.js';
import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import type { Reporting } from '../../../base/reporting.js';
import type { MigrationFile } from '../files/migration-file.js';
import type { HookName } from '../files/migration-folder.js';
import { labelOf } from '../files/source.js';
import type { ApplyOptions } from './apply.js';
import { rehearse } from './rehearse.js';

export interface HookOptions extends ApplyOptions {
  readonly hooks?: readonly MigrationFile[];
}

export function hooksNamed(name: HookName, { hooks = [] }: Pick<HookOptions, 'hooks'>): readonly MigrationFile[] {
  return hooks.filter((hook) => hook.name === name);
}

/**
 * Runs the hooks of one moment, each in its own transaction; the session is as it was opened afterwards. Nothing is recorded: `after_up` runs at the end of every `up`,
 * so that one that was killed before it is made up for.
 *
 * @throws AisecError MIGRATION_FAILED with the place, LOCK_TIMEOUT.
 */
export async function runHooks(
  session: Session,
  name: HookName,
  options: HookOptions,
  reporting: Reporting,
): Promise<void> {
  const hooks = hooksNamed(name, options);
  for (const hook of hooks) {
    reporting.onProgress(`running ${labelOf(hook)}`);
    await session.query('begin');
    try {
      await rehearse(session, hook, 'up', options, false);
      await session.query('commit');
    } catch (error) {
      await rollBack(session);
      throw error;
    }
  }
  if (hooks.length > 0) await startAgain(session);
}
