import { quoteIdentifier } from '../../../../base/identifier.js';
import { withMaintenance, type ServerAccess } from '../../access.js';
import type { RestorableBackup } from '../../contents/restorable-backup.js';
import { refuseRestore } from '../findings.js';
import type { LeftOutKinds } from '../left-out-kinds.js';
import { readPreflight } from '../preflight.js';
import { restoreChecked } from '../restore-checked.js';
import type { OnPhase } from '../phases.js';
import { dropDatabase } from '../restore-into.js';
import { withRestoreLock } from '../restore-lock.js';

export interface ScratchOptions extends LeftOutKinds {
  /** Of the scratch database; one of that name, which a killed run has left, is dropped first. */
  readonly scratch: string;
  readonly jobs?: number;
  readonly waitMs: number;
  readonly onPhase?: OnPhase;
  readonly onProgress: (text: string) => void;
}

/**
 * Restores a backup into a scratch database on the server, compares it with the manifest, runs the callback, and drops it
 * whatever happens.
 *
 * @throws AisecError RESTORE_BLOCKED when the server lacks what the backup needs, RUN_LOCKED while another run has the
 *   scratch database, and as `restoreChecked`.
 */
export async function withScratchRestore<Result>(
  access: ServerAccess,
  backup: RestorableBackup,
  options: ScratchOptions,
  use: () => Promise<Result>,
): Promise<Result> {
  const { scratch, jobs, waitMs, onPhase, onProgress, withoutOwners, withoutPrivileges } = options;
  return withMaintenance(access, (maintenance) =>
    withRestoreLock(maintenance, scratch, { waitMs, onProgress }, async () => {
      await dropDatabase(access, maintenance, scratch);
      const rules = { withoutOwners, withoutPrivileges, roles: 'none', createsDatabase: true, locale: null } as const;
      const { findings } = await readPreflight(access, maintenance, backup, rules);
      refuseRestore(findings, quoteIdentifier(scratch));
      try {
        await restoreChecked(access, maintenance, scratch, backup, {
          withoutOwners,
          withoutPrivileges,
          withProperties: false,
          ...(jobs !== undefined && { jobs }),
          ...(onPhase !== undefined && { onPhase }),
          onProgress,
        });
        return await use();
      } finally {
        await dropDatabase(access, maintenance, scratch);
      }
    }),
  );
}
