import { cpus, totalmem } from 'node:os';

import { AisecError } from '../../../base/errors.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import { catalogFaults } from '../verify/compare-catalogs.js';
import { compareRows } from '../verify/compare-rows.js';
import type { DatabaseLocale } from '../server/create-database.js';
import type { Machine } from './fast-settings.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import type { OnPhase } from './phases.js';
import { restoreInto } from './restore-into.js';
import { restoreSqlInto } from '../embedded/sql-backup.js';
import { isLocalHost } from './target-facts.js';
import type { LeftOutKinds } from './left-out-kinds.js';

/** Beyond that the server's disk has more to do than its cores. */
const MOST_JOBS = 4;

export interface CheckedRestoreOptions extends LeftOutKinds {
  /** Whether the database gets the owner, settings and grants that the backed-up one had. */
  readonly withProperties: boolean;
  /** Default: the cores of a server on this machine, at most 4; else 1. */
  readonly jobs?: number;
  readonly locale?: DatabaseLocale | undefined;
  readonly onPhase?: OnPhase;
  readonly onProgress: (text: string) => void;
}

/** Everything was restored, and is not what was backed up. */
export class RestoredOtherwise extends AisecError {
  /** `hasOtherRows`: not only definitions, which another server may print otherwise. */
  constructor(
    faults: readonly string[],
    readonly hasOtherRows: boolean,
  ) {
    super('RESTORE_FAILED', 'what was restored is not what was backed up', {
      detail: faults.join('\n  '),
      hint: 'It was dropped again. Restore another backup, and keep this one for finding out why.',
    });
  }
}

/** The server's machine, as far as it can be seen from here. */
export function machineOf({ host }: ServerAccess): Machine {
  return isLocalHost(host)
    ? { memoryBytes: totalmem(), cpus: cpus().length }
    : { memoryBytes: undefined, cpus: undefined };
}

/**
 * Restores a whole backup into a new database of this name, and compares rows and catalog with the manifest. When
 * anything fails, the database is dropped again.
 *
 * @throws AisecError RESTORE_FAILED with every difference, and as `restoreInto`.
 */
export async function restoreChecked(
  access: ServerAccess,
  maintenance: Session,
  database: string,
  backup: RestorableBackup,
  options: CheckedRestoreOptions,
): Promise<void> {
  const { onProgress } = options;
  const machine = machineOf(access);
  const job = {
    ...options,
    jobs: options.jobs ?? Math.min(MOST_JOBS, machine.cpus ?? 1),
    archive: backup.file,
    toc: backup.toc,
    vectorIndexes: backup.vectorIndexes,
    machine,
  };
  const check = async (session: Session): Promise<void> => {
    options.onPhase?.('compare');
    const rowFaults = await compareRows(session, backup.rows, onProgress);
    const withGrants = !options.withoutOwners && !options.withoutPrivileges;
    const faults = [...rowFaults, ...(await catalogFaults(session, backup, { withGrants }))];
    if (faults.length > 0) throw new RestoredOtherwise(faults, rowFaults.length > 0);
  };
  if (backup.format === 'sql') {
    options.onPhase?.('rows');
    await restoreSqlInto(access, maintenance, database, backup, onProgress, check);
  } else await restoreInto(access, maintenance, database, job, check);
}
