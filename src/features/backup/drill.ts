import { AisecError } from '../../base/errors.js';
import { aisecVersion } from '../../base/package/version.js';
import { isStoreUrl } from '../../config/store-url.js';
import type { OpenOptions } from '../../adapters/postgres/open-options.js';
import type { Session } from '../../adapters/postgres/session.js';
import type { ServerAccess } from './access.js';
import { isOfEmbedded } from './catalog/find-backup.js';
import { readManifest, type BackupManifest } from './catalog/manifest.js';
import { leftOutText } from './catalog/left-out.js';
import { recoveryPointOf } from './catalog/standby.js';
import { plainName } from './catalog/names.js';
import { appendDrill, requireRecordable, type Drill } from './drill/records.js';
import { runSqlChecks, type SqlCheck, type SqlCheckResult } from './drill/sql-checks.js';
import { compareLoaded } from './embedded/compare-loaded.js';
import { requireLoadable } from './embedded/require-loadable.js';
import { drillName } from './restore/database/database-names.js';
import { PhaseClock } from './restore/phases.js';
import { manifestOf } from './store/backup-location.js';
import type { ScratchOptions } from './restore/database/scratch.js';
import { withLocalBackup } from './store/local-backup.js';
import { readChecksum, requireSameChecksum } from './verify/check-checksum.js';
import { restoreAndCompare } from './verify/verify-deep.js';
import { verifyAs, type VerifyOptions } from './verify.js';

export interface DrillOptions extends VerifyOptions, Omit<ScratchOptions, 'scratch' | 'onPhase'> {
  readonly checks: readonly SqlCheck[];
  /** Absolute path of the file that the drill is appended to. */
  readonly recordsFile: string;
  /** For a backup of the embedded database. */
  readonly engine: OpenOptions;
  /** Asked only for a backup of a server. */
  readonly serverAccess: () => Promise<ServerAccess>;
}

type RunChecks = (
  withSession: <Result>(use: (session: Session) => Promise<Result>) => Promise<Result>,
) => Promise<void>;

/** Restores it as `restore` does, runs the checks on what came out, and removes that again. Returns host and role. */
async function recover(
  plain: string,
  manifest: BackupManifest,
  options: DrillOptions,
  clock: PhaseClock,
  runChecks: RunChecks,
): Promise<Pick<Drill, 'host' | 'role'>> {
  clock.start('read');
  if (isOfEmbedded(plain)) {
    requireSameChecksum(plain, (await readChecksum(plain, options.signal)).sha256, (await readManifest(plain)).sha256);
    requireLoadable(plain, manifest);
    const compareMore = async ({ session }: { readonly session: Session }): Promise<readonly string[]> => {
      await runChecks((use) => use(session));
      return [];
    };
    await compareLoaded(plain, manifest, { ...options, format: manifest.format, onPhase: clock.start, compareMore });
    return { host: 'embedded', role: 'postgres' };
  }
  const access = await options.serverAccess();
  const scratch = drillName(manifest.database);
  await restoreAndCompare(access, plain, { ...options, scratch, onPhase: clock.start }, () =>
    runChecks((use) => access.withDatabase(scratch, use)),
  );
  return { host: access.host, role: access.target.connection.user };
}

/**
 * Restores a backup into a scratch database, `aisec_drill_<database>`, or a database in memory, compares it with its
 * manifest, runs the checks there, and appends to the records how long that took and how old the newest data was. The manifest is stamped as by
 * `verify --deep`.
 *
 * @throws AisecError BACKUP_INVALID, RESTORE_BLOCKED, RUN_LOCKED, BACKUP_DIRECTORY, and what stops a run altogether; then
 *   nothing is recorded.
 */
export async function drillBackup(file: string, options: DrillOptions): Promise<Drill> {
  const startedAt = new Date();
  const clock = new PhaseClock();
  const manifest = await manifestOf(file, options);
  const lacks = leftOutText(manifest);
  if (lacks !== undefined)
    throw new AisecError('USAGE', `${file} is a partial backup, and a drill needs a full one`, {
      detail: `It lacks ${lacks}.`,
      hint: 'Leave the file out to take the newest full one.',
    });
  // Before anything is restored.
  await requireRecordable(options.recordsFile);
  let place: Pick<Drill, 'host' | 'role'> = { host: '', role: '' };
  let checks: readonly SqlCheckResult[] = [];
  const runChecks: RunChecks = async (withSession) => {
    if (options.checks.length > 0) clock.start('checks');
    checks = await runSqlChecks(options.checks, withSession, options.onProgress);
    clock.stop();
  };
  const { verdict, reason, sizeBytes, durationMs } = await verifyAs('deep', file, options, async () => {
    if (isStoreUrl(file) || plainName(file) !== file) clock.start('fetch');
    const local = { ...options, withoutManifest: false };
    place = await withLocalBackup(file, local, (plain) => recover(plain, manifest, options, clock, runChecks));
  });
  const { database, origin, databaseSizeBytes, rows } = manifest;
  const recoveryPoint = recoveryPointOf(manifest);
  const isRestored = verdict === 'good' || verdict === 'incomplete';
  const drill: Drill = {
    startedAt: startedAt.toISOString(),
    durationMs,
    isPassed: verdict === 'good' && checks.every((check) => check.verdict === 'passed'),
    file,
    database,
    originId: origin?.id ?? null,
    verdict,
    reason,
    recoveryTimeMs: isRestored
      ? clock.phases.reduce((sum, { phase, durationMs: each }) => sum + (phase === 'checks' ? 0 : each), 0)
      : null,
    phases: clock.phases,
    recoveryPointAt: recoveryPoint.toISOString(),
    recoveryPointAgeMs: startedAt.getTime() - recoveryPoint.getTime(),
    checks,
    rows: rows.reduce((sum, table) => sum + table.rows, 0),
    tables: rows.length,
    sizeBytes,
    databaseSizeBytes,
    ...place,
    aisecVersion: aisecVersion(),
  };
  await appendDrill(options.recordsFile, drill);
  return drill;
}
