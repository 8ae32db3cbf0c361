import { checksumOf, type Checksum } from '../../adapters/files/checksum.js';
import { readWholeArchive } from '../../adapters/pgtools/pg-restore.js';
import type { PgTool } from '../../adapters/pgtools/tool.js';
import type { ServerAccess } from '../../adapters/restoring/access.js';
import { readArchive, type Archive } from '../../adapters/restoring/archive.js';
import { formatBytes } from '../../base/bytes.js';
import { AisecError } from '../../base/errors.js';
import { qualifiedName, type BackupTable } from './server-facts.js';

export interface Proof extends Checksum {
  readonly archive: Archive;
}

export interface ProveOptions {
  readonly tool: PgTool;
  readonly file: string;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** Tables whose rows the archive does not have. */
export function missingTables({ toc }: Archive, tables: readonly BackupTable[]): readonly BackupTable[] {
  const dumped = toc.entries.filter(({ kind }) => kind === 'TABLE DATA').map(({ description }) => description);
  // A description ends with the owner, and names may hold blanks.
  const names = new Set(
    dumped.flatMap((description) => {
      const words = description.split(' ');
      return words.map((_, index) => words.slice(0, index + 1).join(' '));
    }),
  );
  return tables.filter(({ schema, table }) => !names.has(`${schema} ${table}`));
}

/**
 * Reads a finished archive back from the disk: unpacks every byte of it, takes its checksum, and looks for every table.
 * `pg_restore --list` alone finds none of the ways in which an archive is damaged.
 *
 * @throws AisecError BACKUP_INVALID.
 */
export async function proveArchive(
  access: ServerAccess,
  tables: readonly BackupTable[],
  { tool, file, signal, onProgress }: ProveOptions,
): Promise<Proof> {
  const { environment } = access.places;
  const [checksum] = await Promise.all([
    checksumOf(file, signal, (bytes) => onProgress(`reading it back, ${formatBytes(bytes)}`)),
    readWholeArchive({ tool, file, environment, signal }),
  ]);
  const archive = await readArchive(access, file);
  const missing = missingTables(archive, tables);
  if (missing.length > 0)
    throw new AisecError('BACKUP_INVALID', `the archive lacks ${missing.length} tables of the database`, {
      detail: `Missing: ${missing.map(qualifiedName).join(', ')}.`,
      hint: 'Run the backup again.',
    });
  return { ...checksum, archive };
}
