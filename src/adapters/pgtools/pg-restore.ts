import type { Credentials } from './credentials.js';
import { runTool, type ToolSurroundings } from './run-tool.js';
import type { PgTool } from './tool.js';

export interface ArchiveRequest extends ToolSurroundings {
  readonly tool: PgTool;
  readonly file: string;
  /** pg_restore says each entry as it comes to it. */
  readonly onLine?: (line: string) => void;
}

/** The table of contents, one entry a line: `4711; 1259 16409 TABLE public users owner`. Reads only the head of the file. */
export async function listArchive({ tool, file, environment, signal }: ArchiveRequest): Promise<readonly string[]> {
  const { stdout } = await runTool({ tool, args: ['--list', file], environment, signal });
  return stdout.split('\n').filter((line) => /^\d+; /.test(line));
}

/**
 * Reads and unpacks every byte of an archive, without a server: finds what `--list` never does. A changed byte in data
 * that is not compressed (or by lz4) only shows in the checksum.
 *
 * @throws AisecError BACKUP_INVALID for a damaged archive, else as `runTool`.
 */
export async function readWholeArchive({ tool, file, environment, signal, onLine }: ArchiveRequest): Promise<void> {
  const verbose = onLine === undefined ? [] : ['--verbose'];
  await runTool({ tool, args: ['--file=/dev/null', ...verbose, file], environment, signal, ...(onLine && { onLine }) });
}

export interface RestoreRequest extends ArchiveRequest {
  readonly credentials: Credentials;
  /** More than one excludes `isOneTransaction`. */
  readonly jobs: number;
  readonly isOneTransaction?: boolean;
  /** A list as of `listArchive`, with the lines that are wanted. */
  readonly listFile?: string;
  /** Such as `--no-owner`. */
  readonly options?: readonly string[];
}

/**
 * Restores into the database of the credentials, which has to be empty of what comes; stops at the first error.
 *
 * @throws AisecError as `runTool`.
 */
export async function restoreArchive(request: RestoreRequest): Promise<void> {
  const { tool, file, credentials, jobs, isOneTransaction, listFile, options, environment, signal, onLine } = request;
  const args = [
    `--dbname=${credentials.dbname}`,
    '--no-password',
    '--exit-on-error',
    ...(isOneTransaction === true ? ['--single-transaction'] : [`--jobs=${jobs}`]),
    ...(listFile === undefined ? [] : [`--use-list=${listFile}`]),
    ...(options ?? []),
    '--verbose',
    file,
  ];
  await runTool({ tool, args, environment, signal, more: credentials.variables, ...(onLine && { onLine }) });
}
