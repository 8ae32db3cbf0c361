import { runTool, type ToolSurroundings } from './run-tool.js';
import type { PgTool } from './tool.js';

export interface ArchiveRequest extends ToolSurroundings {
  readonly tool: PgTool;
  readonly file: string;
  /** pg_restore says each entry as it comes to it. */
  readonly onLine?: (line: string) => void;
  /** Gets what it unpacks. */
  readonly onStdout?: (chunk: Buffer) => Promise<void>;
}

/**
 * Reads and unpacks every byte of an archive, without a server: finds what `--list` never does. A changed byte in data
 * that is not compressed (or by lz4) only shows in the checksum.
 *
 * @throws AisecError BACKUP_INVALID for a damaged archive, else as `runTool`.
 */
export async function readWholeArchive({ tool, file, onLine, onStdout, ...others }: ArchiveRequest): Promise<void> {
  const verbose = onLine === undefined ? [] : ['--verbose'];
  const args = [`--file=${onStdout === undefined ? '/dev/null' : '-'}`, ...verbose, file];
  await runTool({ tool, args, ...others, ...(onLine && { onLine }), ...(onStdout && { onStdout }) });
}
