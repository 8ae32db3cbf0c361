import { readManifest } from '../catalog/manifest.js';
import { withMaintenance, type ServerAccess } from '../access.js';
import { verifyName } from '../restore/database-names.js';
import { preflightFindings, refuseRestore } from '../restore/findings.js';
import { rolesNeeded } from '../restore/preflight.js';
import { readBackup } from '../contents/read-backup.js';
import { restoreChecked, RestoredOtherwise } from '../restore/restore-checked.js';
import { dropDatabase } from '../restore/restore-into.js';
import { withRestoreLock } from '../restore/restore-lock.js';
import { readTargetFacts } from '../restore/target-facts.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { verifyAs, withWhole, type VerifyOptions, type VerifyResult } from '../verify.js';

export interface DeepVerifyOptions extends VerifyOptions {
  readonly withoutOwners: boolean;
  readonly withoutPrivileges: boolean;
  readonly jobs: number;
  readonly waitMs: number;
}

/** All of the archive was restored, and other rows came out of it than went in. */
function asDamage({ message, detail, hint }: RestoredOtherwise): AisecError {
  return new AisecError('BACKUP_DAMAGED', message, { detail, hint });
}

async function restoreAndDrop(access: ServerAccess, file: string, options: DeepVerifyOptions): Promise<void> {
  const { withoutOwners, withoutPrivileges, jobs, waitMs, onProgress } = options;
  const backup = await readBackup(access, file, { withoutManifest: false, onProgress });
  const { database } = await readManifest(file);
  const scratch = verifyName(database);
  await withMaintenance(access, (maintenance) =>
    withRestoreLock(maintenance, scratch, { waitMs, onProgress }, async () => {
      // A killed run has left it.
      await dropDatabase(maintenance, scratch);
      const needs = { ...backup, roles: rolesNeeded(backup, options) };
      const facts = await readTargetFacts(maintenance, needs, access.host);
      refuseRestore(
        preflightFindings(needs, facts, { ...options, rolesToCreate: [], createsDatabase: true }),
        quoteIdentifier(scratch),
      );
      await restoreChecked(access, maintenance, scratch, backup, {
        withoutOwners,
        withoutPrivileges,
        withProperties: false,
        jobs,
        onProgress,
      }).catch((error: unknown) => {
        throw error instanceof RestoredOtherwise && error.hasOtherRows ? asDamage(error) : error;
      });
      await dropDatabase(maintenance, scratch);
    }),
  );
}

/**
 * Verifies one backup by restoring it into a scratch database, `aisec_verify_<database>`, comparing rows and catalog
 * with the manifest, and dropping it again; stamps the manifest.
 *
 * @throws AisecError RESTORE_BLOCKED when the server lacks what the backup needs, RUN_LOCKED, and as `verifyBackup`.
 */
export async function verifyDeeply(
  access: ServerAccess,
  file: string,
  options: DeepVerifyOptions,
): Promise<VerifyResult> {
  return verifyAs('deep', file, options, (manifest) =>
    withWhole(file, manifest, options, (plain) => restoreAndDrop(access, plain, options)),
  );
}
