import { runTool, type ToolSurroundings } from './run-tool.js';
import type { PgTool } from './tool.js';

export interface ArchiveRequest extends ToolSurroundings {
  readonly tool: PgTool;
  readonly file: string;
  /** For `--use-list`: only what it names is unpacked. Undefined: everything. */
  readonly list?: string;
  /** pg_restore says each entry as it comes to it. */
  readonly onLine?: (line: string) => void;
  /** Gets what it unpacks. */
  readonly onStdout?: (chunk: Buffer) => Promise<void>;
}

/**
 * Reads and unpacks an archive, or what a list names of it, without a server: finds what `--list` never does. A changed byte
 * in data that is not compressed (or by lz4) only shows in the checksum.
 *
 * @throws AisecError BACKUP_INVALID for a damaged archive, else as `runTool`.
 */
export async function unpackArchive({ tool, file, list, onLine, onStdout, ...others }: ArchiveRequest): Promise<void> {
  const useList = list === undefined ? [] : [`--use-list=${list}`];
  const verbose = onLine === undefined ? [] : ['--verbose'];
  const args = [`--file=${onStdout === undefined ? '/dev/null' : '-'}`, ...useList, ...verbose, file];
  await runTool({ tool, args, readsOnly: true, ...others, ...(onLine && { onLine }), ...(onStdout && { onStdout }) });
}

/**
 * What `pg_restore --list` prints.
 *
 * @throws AisecError BACKUP_INVALID for a damaged table of contents, else as `runTool`.
 */
export async function listArchive({ tool, file, environment, signal }: ArchiveRequest): Promise<string> {
  return (await runTool({ tool, args: ['--list', file], readsOnly: true, environment, signal })).stdout;
}
