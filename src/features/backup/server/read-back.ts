import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

import { listArchive, unpackArchive, type ArchiveRequest } from '../../../adapters/pgtools/pg-restore.js';
import { parseToc, type TocEntry } from '../contents/toc.js';
import { withList } from '../restore/entry-list.js';
import { allSettled } from '../run/all-settled.js';

/** By OID, as PostgreSQL last counted them, with those of TOAST. */
export type PagesOfTables = ReadonlyMap<string, number>;

/** Below, a second process takes longer to start than it saves. */
const BY_SEVERAL_FROM_BYTES = 32 * 1024 * 1024;
/** Of a dump by one job, which keeps two processes busy: a session of the server and pg_dump. */
const LEAST_AT_ONCE = 2;

interface Share {
  pages: number;
  readonly entries: TocEntry[];
}

function pagesIn({ kind, line }: TocEntry, pagesOf: PagesOfTables): number {
  if (kind !== 'TABLE DATA') return 0;
  const [, oid = ''] = /^\d+; \d+ (\d+) /.exec(line) ?? [];
  return Math.max(pagesOf.get(oid) ?? 0, 1);
}

/**
 * Gives each entry of an archive to one of several shares with about as many pages each; what is not the rows of a table, to
 * the first.
 */
export function shareOut(
  entries: readonly TocEntry[],
  pagesOf: PagesOfTables,
  processes: number,
): readonly (readonly TocEntry[])[] {
  const weighed = entries.map((entry) => ({ entry, pages: pagesIn(entry, pagesOf) }));
  const shares = Array.from({ length: processes }, (): Share => ({ pages: 0, entries: [] }));
  const [first] = shares;
  for (const { entry, pages } of weighed.toSorted((one, other) => other.pages - one.pages)) {
    const least = pages === 0 ? first : shares.toSorted((one, other) => one.pages - other.pages)[0];
    least?.entries.push(entry);
    if (least) least.pages += pages;
  }
  return shares.map((share) => share.entries);
}

/**
 * Unpacks every byte of an archive; a large one by several processes, each its share of the tables.
 *
 * @param jobs that dumped it
 * @throws AisecError as `unpackArchive` and `withList`.
 */
export async function readBack(
  request: ArchiveRequest,
  pagesOf: PagesOfTables,
  jobs: number,
  bySeveralFromBytes = BY_SEVERAL_FROM_BYTES,
): Promise<void> {
  const processes = Math.min(availableParallelism(), Math.max(jobs, LEAST_AT_ONCE));
  const isOfOne = processes === 1 || request.onStdout !== undefined;
  if (isOfOne || (await stat(request.file)).size < bySeveralFromBytes) return unpackArchive(request);
  const { entries } = parseToc(await listArchive(request));
  const shares = shareOut(entries, pagesOf, processes);
  await allSettled(shares.map((share) => withList(share, (list) => unpackArchive({ ...request, list }))));
}
