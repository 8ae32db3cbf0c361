import { resolve } from 'node:path';

import { AisecError } from '../../base/errors.js';
import type { UserExportResult } from '../../features/user/index.js';
import type { AnyDatabase } from '../any-database.js';
import { checkOptions } from '../check-arguments.js';

export interface ExportUserOptions {
  /** The ZIP file to write, for its owner only (0600). */
  readonly file: string;
  /** Also what is kept about the person and the policies do not show. Default: false. */
  readonly isAll?: boolean;
  /** Of the page. Default: that of the person's preferences. */
  readonly language?: 'en' | 'ja' | undefined;
  /** Whether a file of that name is rewritten, such as by a job that is run again. Default: false. */
  readonly replaces?: boolean;
  /** Ends it when aborted: no file is left. */
  readonly signal?: AbortSignal | undefined;
  /** What it is doing, as a text. */
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What was written. */
export type UserExport = Omit<UserExportResult, 'isDryRun' | 'isEncrypted'>;

const OPTIONS: Readonly<Record<keyof ExportUserOptions, true>> = {
  file: true,
  isAll: true,
  language: true,
  replaces: true,
  signal: true,
  onProgress: true,
};

/**
 * Writes what is kept about a person to a ZIP file, as `aisec user export` does: live and archived months, every table, a
 * page to read, a manifest with checksums; all of one MVCC snapshot. The final file name appears only when the file is complete, so a job
 * that was killed is run again, with `replaces`.
 *
 * @param db of a role that sees all rows: the owner of the tables, or one with BYPASSRLS. One connection of its pool is
 *   used, and closed afterwards.
 * @throws AisecError USAGE for no such user, REFUSED when the file exists, PRIVILEGE_MISSING, CONFIG_INVALID through a
 *   pooler in transaction mode; the reason of the signal when that is aborted.
 * @example
 * const { sha256, rows } = await exportUser(db, userId, { file: `/exports/${jobId}.zip`, replaces: true });
 */
export async function exportUser(db: AnyDatabase, userId: string, options: ExportUserOptions): Promise<UserExport> {
  checkOptions('exportUser', options, OPTIONS, 'USAGE');
  const { file, isAll = false, language, replaces = false, signal, onProgress } = options;
  if (typeof file !== 'string' || file === '')
    throw new AisecError('USAGE', 'exportUser: no file was given', { hint: "Give { file: '/exports/data.zip' }." });
  if (language !== undefined && language !== 'en' && language !== 'ja')
    throw new AisecError('USAGE', `exportUser: invalid language "${String(language)}"`, { hint: 'Give en or ja.' });
  const { exportUser: write, withPersonSession } = await import('./work.js');
  return withPersonSession('exportUser', db, userId, signal, async (session, schema) => {
    const {
      isDryRun: _,
      isEncrypted: __,
      ...result
    } = await write(
      session,
      { user: userId, schema, file: resolve(file), isAll, language, replaces, isDryRun: false },
      { onProgress: onProgress ?? (() => undefined) },
    );
    return result;
  });
}
