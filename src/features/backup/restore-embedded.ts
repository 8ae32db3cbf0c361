import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { readManifest, type BackupManifest } from './catalog/manifest.js';
import { flushTree } from '../../adapters/files/flush-tree.js';
import { makeDirectory } from '../../adapters/files/make-directory.js';
import { freeBytes, isNoSpace } from '../../adapters/files/space.js';
import { openNew } from '../../adapters/embedded/embedded.js';
import { describeEmbedded } from '../../adapters/embedded/error.js';
import { isSwapUnfinished, restoringDirectory, swapDirectories } from '../../adapters/embedded/swap.js';
import { openTar } from '../../adapters/embedded/tar.js';
import type { Session } from '../../adapters/postgres/session.js';
import type { EmbeddedAccess } from './access.js';
import type { ErasedAgain, ErasureOptions } from './erasures/erased-again.js';
import { gatherErasures } from './erasures/gather.js';
import { formatByName, requireForEmbedded } from './contents/backup-format.js';
import { readChecksum, requireSameChecksum } from './verify/check-checksum.js';
import { timestampOf } from './catalog/names.js';
import { withEmbeddedLock } from './embedded/embedded-access.js';
import { compareContents, unpackTar, type ReadOptions } from './embedded/embedded-backup.js';
import { loadSql } from './embedded/load-sql.js';
import { withLocalBackup, type RestoreRunOptions } from './store/local-backup.js';
import { refuseRestore, restoreFinding } from './restore/findings.js';
import { requireLoadable } from './embedded/require-loadable.js';
import { formatBytes } from '../../base/bytes.js';
import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import { throwIfInterrupted } from '../../base/interruption.js';
import type { Reporting } from '../../base/reporting.js';
import type { Confirm, DatabaseRestoreResult } from './restore.js';
import { shellWord } from '../../base/package/aisec-command.js';

export interface EmbeddedRestoreOptions extends RestoreRunOptions {
  readonly erasures: ErasureOptions;
  readonly mode: 'create' | 'replace';
  /** Absolute: the directory that will be the database. */
  readonly dataDir: string;
}

interface Plan {
  readonly steps: readonly string[];
  /** Where the database that is replaced goes. */
  readonly before: string | undefined;
}

function refuseTarget({ mode, dataDir }: EmbeddedRestoreOptions): void {
  const isFree = !isSwapUnfinished(dataDir) && (!existsSync(dataDir) || readdirSync(dataDir).length === 0);
  if (isFree === (mode === 'create')) return;
  const finding = isFree
    ? restoreFinding('target', dataDir, {
        message: `there is no ${describeEmbedded(dataDir)}`,
        impact: `--replace needs one to replace; give --create ${shellWord(dataDir)}`,
      })
    : restoreFinding('target', dataDir, {
        message: `"${dataDir}" exists`,
        impact: '--create makes a new directory; give another one, or --replace to swap the database out',
      });
  refuseRestore([finding], `"${dataDir}"`);
}

function planOf({ mode, dataDir }: EmbeddedRestoreOptions, manifest: BackupManifest | undefined): Plan {
  const before = mode === 'replace' ? `${dataDir}_before_${timestampOf(new Date())}` : undefined;
  const compared = manifest === undefined ? '' : `, compare ${manifest.rows.length} tables with the manifest`;
  return {
    before,
    steps: [
      `load it into the new directory ${restoringDirectory(dataDir)}${compared}`,
      before === undefined
        ? `rename it to ${dataDir}`
        : `rename ${dataDir} to ${before} and ${restoringDirectory(dataDir)} to ${dataDir}`,
    ],
  };
}

async function requireSpace(dataDir: string, neededBytes: number): Promise<void> {
  const free = await freeBytes(path.dirname(dataDir));
  if (free >= neededBytes) return;
  const directory = path.dirname(dataDir);
  throw new AisecError(
    'DISK_FULL',
    `"${directory}" has ${formatBytes(free)} left, and the database takes ${formatBytes(neededBytes)}`,
    { detail: 'No changes were made.', hint: 'Free some space and run the command again.' },
  );
}

/** From a data directory as it was, for a text a new one. */
async function start(
  access: EmbeddedAccess,
  file: string,
  dataDir: string,
  options: ReadOptions & { readonly isSql: boolean },
): Promise<Session> {
  if (options.isSql) return (await openNew(access.options, dataDir)).session;
  const tar = await unpackTar(file, options);
  await requireSpace(dataDir, tar.byteLength);
  options.onProgress('loading it');
  return (await openTar(tar, access.options, { dataDir, label: describeEmbedded(dataDir) })).session;
}

/** Makes the database beside, compares it and writes it down to the disk. */
async function load(
  access: EmbeddedAccess,
  file: string,
  dataDir: string,
  manifest: BackupManifest | undefined,
  eraseAgain: (session: Session) => Promise<ErasedAgain>,
  { onProgress }: Reporting,
): Promise<ErasedAgain> {
  const { signal } = access;
  let erasedAgain: ErasedAgain;
  const session = await start(access, file, dataDir, { isSql: manifest?.format === 'sql', signal, onProgress });
  try {
    if (manifest?.format === 'sql') {
      await loadSql(session, file, manifest.roles, { signal, onProgress });
      await session.query('analyze');
    }
    const faults = manifest === undefined ? [] : await compareContents(session, manifest, onProgress);
    if (faults.length > 0)
      throw new AisecError('RESTORE_FAILED', 'what was restored is not what was backed up', {
        detail: faults.join('\n  '),
        hint: 'It was removed again. Restore another backup, and keep this one for finding out why.',
      });
    erasedAgain = await eraseAgain(session);
  } finally {
    await session.close();
  }
  onProgress('writing it to the disk');
  await flushTree(dataDir);
  return erasedAgain;
}

function asFailure(error: unknown): unknown {
  if (isNoSpace(error))
    return new AisecError('DISK_FULL', 'no space is left for the restored database', {
      detail: `${messageOf(error)}.`,
      hint: 'Free some space and run the command again; what had been restored was removed again.',
      cause: error,
    });
  if (!isAisecError(error, 'EMBEDDED_FAILED')) return error;
  return new AisecError('RESTORE_FAILED', 'the backup could not be loaded', {
    detail: error.detail ?? error.message,
    hint: 'What had been restored was removed again, and nothing else was touched.',
    cause: error,
  });
}

/** A checksum that matches verifies all of it; without one, gzip's own was compared while it was unpacked. */
async function readWhole(
  file: string,
  { withoutManifest }: EmbeddedRestoreOptions,
  signal: AbortSignal,
): Promise<BackupManifest | undefined> {
  const { sha256 } = await readChecksum(file, signal);
  if (withoutManifest) {
    requireForEmbedded(file, formatByName(file));
    if (formatByName(file) !== 'sql') return undefined;
    throw new AisecError('USAGE', '--without-manifest is for a data directory', {
      hint: 'Which roles SQL needs is in its manifest. Without one it is for psql on a server.',
    });
  }
  const manifest = await readManifest(file);
  requireForEmbedded(file, manifest.format);
  requireLoadable(file, manifest);
  requireSameChecksum(file, sha256, manifest.sha256);
  return manifest;
}

/**
 * Restores a backup of the embedded database as a new directory, or in place of the configured one, which is kept.
 *
 * It works in a directory beside, which gets its name when rows and catalog were compared. Killed at any moment, the
 * database is the old or the new one.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError BACKUP_FORMAT, BACKUP_UNKNOWN, BACKUP_INVALID, RESTORE_BLOCKED, DISK_FULL before anything is
 *   touched; RESTORE_FAILED, EMBEDDED_LOCKED, REFUSED.
 */
export async function restoreEmbedded(
  access: EmbeddedAccess,
  given: string,
  options: EmbeddedRestoreOptions,
  confirm: Confirm,
  reporting: Reporting,
): Promise<DatabaseRestoreResult> {
  const startedMs = performance.now();
  const { mode, dataDir, waitMs, isDryRun, source, withoutManifest } = options;
  const { signal } = access;
  const { onProgress } = reporting;
  requireForEmbedded(given, formatByName(given));
  const restore = async (file: string): Promise<DatabaseRestoreResult> => {
    onProgress(`reading ${file}`);
    const manifest = await readWhole(file, options, signal);
    refuseTarget(options);
    const plan = planOf(options, manifest);
    // Read before the lock is taken, which opening it needs, too.
    const lists = await gatherErasures(
      access,
      given,
      { ...source, ...options.erasures },
      async (use) =>
        existsSync(access.dataDir) && readdirSync(access.dataDir).length > 0
          ? access.withDatabase(({ session }) => use(session))
          : undefined,
      reporting.onWarning,
    );
    const result = (erasedAgain: ErasedAgain | null = null): DatabaseRestoreResult => ({
      mode,
      file: given,
      database: dataDir,
      isDryRun,
      steps: plan.steps,
      warnings: [],
      tables: manifest?.rows.length ?? 0,
      rows: manifest?.rows.reduce((sum, { rows }) => sum + rows, 0) ?? 0,
      erasedAgain,
      before: plan.before ?? null,
      durationMs: Math.round(performance.now() - startedMs),
    });
    if (isDryRun) return result();
    if (mode === 'replace') await confirm(plan.steps);
    makeDirectory(path.dirname(dataDir));
    let erasedAgain: ErasedAgain | null = null;
    await withEmbeddedLock(dataDir, { waitMs, options: access.options }, async () => {
      refuseTarget(options);
      const working = restoringDirectory(dataDir);
      await rm(working, { recursive: true, force: true });
      try {
        erasedAgain = await load(
          access,
          file,
          working,
          manifest,
          async (session) => ({
            sources: lists.sources,
            known: lists.records.length,
            ...(await options.erasures.eraseAgain(session, lists.records, reporting)),
          }),
          reporting,
        );
        throwIfInterrupted(signal);
        await swapDirectories(dataDir, plan.before);
      } catch (error) {
        await rm(working, { recursive: true, force: true });
        throw asFailure(error);
      }
    });
    return result(erasedAgain);
  };
  const local = { ...source, withoutManifest, places: access.places, signal, onProgress };
  return withLocalBackup(given, local, restore);
}
