import { checksumOf, type Checksum } from '../../../adapters/files/checksum.js';
import type { ArchiveRequest } from '../../../adapters/pgtools/pg-restore.js';
import type { NamedTable } from '../catalog/left-out.js';
import { allSettled } from '../run/all-settled.js';
import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import { quotedTable } from '../../../base/identifier.js';
import { readBack, type PagesOfTables } from './read-back.js';
import type { RowCounter } from './row-counter.js';

interface ProveOptions extends Pick<ArchiveRequest, 'tool' | 'file' | 'environment' | 'signal'> {
  readonly onProgress: (text: string) => void;
  readonly pagesOf: PagesOfTables;
  /** That dumped it. */
  readonly jobs: number;
  /** Counts the rows that are unpacked. */
  readonly counter?: RowCounter | undefined;
}

/** What pg_restore says of a table, up to the end of the line: a name may have line feeds. */
function lineOf({ schema, table }: NamedTable): string {
  return `pg_restore: processing data for table "${schema}.${table}"`.split('\n', 1)[0] ?? '';
}

/** Those of which there is no line; where two begin alike, the later ones. */
function withoutLine(tables: readonly NamedTable[], lines: Map<string, number>): readonly NamedTable[] {
  return tables.filter((table) => {
    const line = lineOf(table);
    const left = lines.get(line) ?? 0;
    lines.set(line, left - 1);
    return left <= 0;
  });
}

/**
 * Reads a finished archive back from the disk: unpacks every byte of it, takes its checksum, and looks for the rows of
 * every table. `pg_restore --list` alone finds none of the ways in which an archive is damaged.
 *
 * @param mayLack whether rows were to be left out; which ones pg_dump found is returned
 * @throws AisecError BACKUP_INVALID.
 */
export async function verifyArchive(
  tables: readonly NamedTable[],
  mayLack: boolean,
  { tool, file, environment, signal, onProgress, pagesOf, jobs, counter }: ProveOptions,
): Promise<{ readonly checksum: Checksum; readonly lacking: readonly NamedTable[] }> {
  const unpacked = new Map<string, number>();
  const onLine = (line: string): void => {
    if (line.startsWith('pg_restore: processing data for table "')) unpacked.set(line, (unpacked.get(line) ?? 0) + 1);
  };
  const [, checksum] = await allSettled<[void, Checksum]>([
    readBack(
      {
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
      },
      pagesOf,
      jobs,
    ),
    checksumOf(file, signal, (bytes) => onProgress(`reading it back, ${formatBytes(bytes)}`)),
  ]);
  const missing = withoutLine(tables, unpacked);
  if (missing.length > 0 && !mayLack)
    throw new AisecError('BACKUP_INVALID', `the archive lacks ${missing.length} tables of the database`, {
      detail: `Missing: ${missing.map(quotedTable).join(', ')}.`,
      hint: 'Run the backup again.',
    });
  return { checksum, lacking: missing };
}
