import { checksumOf, type Checksum } from '../../../adapters/files/checksum.js';
import { readWholeArchive } from '../../../adapters/pgtools/pg-restore.js';
import type { PgTool } from '../../../adapters/pgtools/tool.js';
import { allSettled } from '../run/all-settled.js';
import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import type { Environment } from '../../../config/settings.js';
import type { RowCounter } from './row-counter.js';
import { qualifiedName, type BackupTable } from '../run/server-facts.js';

export interface ProveOptions {
  readonly tool: PgTool;
  readonly file: string;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
  /** Counts the rows that are unpacked. */
  readonly counter?: RowCounter | undefined;
}

/**
 * Reads a finished archive back from the disk: unpacks every byte of it, takes its checksum, and looks for the rows of
 * every table. `pg_restore --list` alone finds none of the ways in which an archive is damaged.
 *
 * @param mayLack whether rows were to be left out; which ones pg_dump found is returned
 * @throws AisecError BACKUP_INVALID.
 */
export async function verifyArchive(
  tables: readonly BackupTable[],
  mayLack: boolean,
  { tool, file, environment, signal, onProgress, counter }: ProveOptions,
): Promise<{ readonly checksum: Checksum; readonly lacking: readonly BackupTable[] }> {
  const unpacked = new Set<string>();
  const onLine = (line: string): void => {
    const [, name] = /^pg_restore: processing data for table "(.*)"$/.exec(line) ?? [];
    if (name !== undefined) unpacked.add(name);
  };
  const [, checksum] = await allSettled<[void, Checksum]>([
    readWholeArchive({
      tool,
      file,
      environment,
      signal,
      onLine,
      ...(counter && {
        onStdout: (chunk) => {
          counter.add(chunk);
          return Promise.resolve();
        },
      }),
    }),
    checksumOf(file, signal, (bytes) => onProgress(`reading it back, ${formatBytes(bytes)}`)),
  ]);
  const missing = tables.filter(({ schema, table }) => !unpacked.has(`${schema}.${table}`));
  if (missing.length > 0 && !mayLack)
    throw new AisecError('BACKUP_INVALID', `the archive lacks ${missing.length} tables of the database`, {
      detail: `Missing: ${missing.map(qualifiedName).join(', ')}.`,
      hint: 'Run the backup again.',
    });
  return { checksum, lacking: missing };
}
