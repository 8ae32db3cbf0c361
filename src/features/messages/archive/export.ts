import { constants, existsSync } from 'node:fs';
import { access, rm } from 'node:fs/promises';
import path from 'node:path';

import { publish, writeSmallFile } from '../../../adapters/files/publish.js';
import { isNoSpace } from '../../../adapters/files/space.js';
import { withRunLock } from '../../../adapters/postgres/locks/advisory-lock.js';
import { rollBack, type Session } from '../../../adapters/postgres/session.js';
import { AisecError, isAisecError, messageOf } from '../../../base/errors.js';
import { throwIfInterrupted } from '../../../base/interruption.js';
import { aisecVersion } from '../../../base/package/version.js';
import { ExportReader, writeExport, type FileContent } from './exports/export-file.js';
import { countRows, readFacts, type PartitionFacts } from './facts.js';
import { readExports, recordExport } from './journal.js';
import { isExportOf, manifestPath, type Manifest } from './exports/manifest.js';
import type { Month } from '../../../base/month.js';
import { PLAIN_TEXT_SETTINGS, readColumns, readRecords } from './exports/month-reader.js';
import { schemaVersion } from '../schema-version.js';
import { verifyExport } from './exports/verify.js';
import { csvRecord, type ExportFormat } from './exports/record-format.js';
import type { Reporting } from '../../../base/reporting.js';

export interface ExportOptions {
  readonly schema: string;
  readonly month: Month;
  /** Absolute path. */
  readonly file: string;
  readonly format: ExportFormat;
  /** Whether an export that the month has changed since is rewritten. */
  readonly replaces: boolean;
  readonly isDryRun: boolean;
  readonly waitMs: number;
}

export interface ExportResult {
  readonly database: string;
  readonly schema: string;
  readonly month: string;
  readonly file: string;
  /** `present`: the file existed and holds exactly the messages that the month has now; `planned`: a dry run. */
  readonly outcome: 'planned' | 'exported' | 'replaced' | 'present';
  readonly rows: number;
  /** Of the file; null in a dry run. */
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  readonly manifest: string;
}

interface Summary {
  readonly rows: number;
  readonly min_created_at: string | null;
  readonly max_created_at: string | null;
}

/** @throws AisecError MONTH_UNKNOWN, ARCHIVE_MONTH. */
async function archivedPartition(session: Session, month: Month): Promise<PartitionFacts> {
  const { partitions } = await readFacts(session);
  const found = partitions.find((partition) => partition.root === 'messages_archive' && partition.month === month);
  const live = partitions.find((partition) => partition.root === 'messages' && partition.month === month);
  if (found === undefined)
    throw new AisecError('MONTH_UNKNOWN', `the archive has no month ${month}`, {
      hint: live === undefined ? 'See: aisec archive list' : 'It is in messages; archive it first: aisec archive',
    });
  if (live !== undefined)
    throw new AisecError('ARCHIVE_MONTH', `month ${month} is only partly archived`, {
      detail: `${live.relation} holds the rest of it.`,
      hint: 'Archive the rest first, with an --older-than that covers the month.',
    });
  return found;
}

async function reread(session: Session, partial: string, format: ExportFormat, written: FileContent): Promise<void> {
  const reader = new ExportReader(partial, format);
  for await (const _ of reader.records()) throwIfInterrupted(session.signal);
  const read = reader.content();
  const isSame =
    read.isWhole &&
    read.records === written.records &&
    read.sha256 === written.sha256 &&
    read.contentSha256 === written.contentSha256;
  if (isSame) return;
  throw new AisecError('EXPORT_INVALID', 'the export was read back and is not what was written', {
    detail: `${read.records} of ${written.records} messages were found.`,
    hint: 'The file was removed. Check the disk, then run it again.',
  });
}

/** Writes and checks the file in one snapshot of the database. */
async function writeChecked(
  session: Session,
  partition: PartitionFacts,
  options: ExportOptions,
  reporting: Reporting,
): Promise<Manifest> {
  const { month, format, file } = options;
  const partial = `${file}.partial`;
  await session.query(`begin isolation level repeatable read, read only; ${PLAIN_TEXT_SETTINGS}`);
  try {
    const columns = await readColumns(session);
    const { rows } = await session.query<Summary>(
      `select count(*)::float8 as rows, min(created_at)::text as min_created_at, max(created_at)::text as max_created_at
       from only ${partition.relation}`,
    );
    const summary = rows[0] ?? { rows: 0, min_created_at: null, max_created_at: null };
    const header = format === 'csv' ? csvRecord(columns.map(({ name }) => name)) : undefined;
    const records = readRecords(session, partition.relation, format, columns);
    const written = await writeExport(partial, header, records, (count) =>
      reporting.onProgress(`exporting ${month}: ${count} of ${summary.rows} messages`),
    );
    reporting.onProgress(`reading the export of ${month} back`);
    await reread(session, partial, format, written);
    if (written.records !== summary.rows)
      throw new AisecError('EXPORT_INVALID', `the file has ${written.records} messages and the month ${summary.rows}`);
    return {
      kind: 'aisec archive export',
      version: 1,
      month,
      file: path.basename(file),
      format,
      compression: 'gzip',
      rows: summary.rows,
      minCreatedAt: summary.min_created_at,
      maxCreatedAt: summary.max_created_at,
      sizeBytes: written.sizeBytes,
      sha256: written.sha256,
      contentSha256: written.contentSha256,
      columns,
      schemaVersion: await schemaVersion(session),
      database: session.info.databaseName,
      schema: options.schema,
      exportedAt: new Date().toISOString(),
      toolVersion: aisecVersion(),
    };
  } catch (error) {
    await rm(partial, { force: true });
    throw asExportError(error, file);
  } finally {
    await rollBack(session);
  }
}

function asExportError(error: unknown, file: string): unknown {
  if (isAisecError(error)) return error;
  if (isNoSpace(error))
    return new AisecError('DISK_FULL', `no space is left for "${file}"`, {
      detail: 'The incomplete file was removed.',
      hint: 'Free some space or give another --out, and run it again.',
      cause: error,
    });
  return new AisecError('CONFIG_INVALID', `could not write "${file}"`, {
    detail: `${messageOf(error)}.`,
    cause: error,
  });
}

const resultOf = (
  session: Session,
  options: ExportOptions,
  { rows, sizeBytes, sha256 }: Pick<ExportResult, 'rows' | 'sizeBytes' | 'sha256'>,
  outcome: ExportResult['outcome'],
): ExportResult => ({
  database: session.info.label,
  schema: options.schema,
  month: options.month,
  file: options.file,
  outcome,
  rows,
  sizeBytes,
  sha256,
  manifest: manifestPath(options.file),
});

/**
 * The result when the file is an export of exactly what the month is now; undefined when it is to be replaced.
 *
 * @throws AisecError REFUSED.
 */
async function present(
  session: Session,
  partition: PartitionFacts,
  options: ExportOptions,
): Promise<ExportResult | undefined> {
  const { file, month, replaces } = options;
  const found = await verifyExport(session, file, month, partition.relation);
  if (found.isVerified && found.changedSince === 0) {
    const exports = await readExports(session);
    if (!options.isDryRun && !exports.some((known) => known.file === file && known.sha256 === found.manifest.sha256))
      await recordExport(session, { month, partition: partition.name, file, manifest: found.manifest });
    return resultOf(session, options, found.manifest, 'present');
  }
  const isOwn = isExportOf(file, month);
  if (replaces && isOwn) return undefined;
  const reason = found.isVerified
    ? `${found.changedSince} of its messages were deleted since, or their parent message was`
    : found.reason;
  throw new AisecError('REFUSED', `"${file}" exists`, {
    detail: `It is not an export of ${month} as the archive has it now: ${reason}.`,
    hint: isOwn ? 'Give another --out, or --replace to write it again.' : 'Give another --out.',
  });
}

/** What would be written. @throws AisecError CONFIG_INVALID when the directory cannot be written to. */
async function planned(session: Session, partition: PartitionFacts, options: ExportOptions): Promise<ExportResult> {
  await access(path.dirname(options.file), constants.W_OK).catch((error: unknown) => {
    throw asExportError(error, options.file);
  });
  const rows = await countRows(session, partition.relation);
  return resultOf(session, options, { rows, sizeBytes: null, sha256: null }, 'planned');
}

/**
 * Writes an archived month to a compressed file with a manifest beside it, reads it back whole and compares. A file of
 * that name exists only when it is complete: killed at any moment and run again, it completes.
 *
 * @throws AisecError USAGE, MONTH_UNKNOWN, ARCHIVE_MONTH, REFUSED when another file or a stale export exists, DISK_FULL, CONFIG_INVALID, EXPORT_INVALID,
 *   RUN_LOCKED, MIGRATION_PENDING.
 */
export async function exportMonth(
  session: Session,
  options: ExportOptions,
  reporting: Reporting,
): Promise<ExportResult> {
  const { month } = options;
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, async () => {
    const partition = await archivedPartition(session, month);
    const exists = existsSync(options.file);
    const found = exists ? await present(session, partition, options) : undefined;
    if (found !== undefined) return found;
    if (options.isDryRun) return planned(session, partition, options);
    const manifest = await writeChecked(session, partition, options, reporting);
    try {
      // The manifest first: a file never stands without its manifest. In between, a replaced file does not match it.
      await writeSmallFile(manifestPath(options.file), `${JSON.stringify(manifest, null, 2)}\n`);
      await publish(`${options.file}.partial`, options.file);
    } catch (error) {
      await rm(`${options.file}.partial`, { force: true });
      throw asExportError(error, options.file);
    }
    await recordExport(session, { month, partition: partition.name, file: options.file, manifest });
    return resultOf(session, options, manifest, exists ? 'replaced' : 'exported');
  });
}
