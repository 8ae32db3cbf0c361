import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { withPrivateDirectory, writeTemporary } from '../../../adapters/files/private-directory.js';
import { listArchive, unpackArchive, type ArchiveRequest } from '../../../adapters/pgtools/pg-restore.js';
import { allSettled } from '../run/all-settled.js';

/** By OID, as PostgreSQL last counted them, with those of TOAST. */
export type PagesOfTables = ReadonlyMap<string, number>;

/** Below, a second process takes longer to start than it saves. */
const BY_SEVERAL_FROM_BYTES = 32 * 1024 * 1024;
/** Of a dump by one job, which keeps two processes busy: a session of the server and pg_dump. */
const LEAST_AT_ONCE = 2;

interface Share {
  pages: number;
  readonly dumpIds: string[];
}

/**
 * Gives each entry of `pg_restore --list` to one of several shares with about as many pages each; what is not the rows of a
 * table, to the first.
 *
 * @returns lists for `--use-list`, which reads no more of a line than its dump id
 */
export function shareOut(list: string, pagesOf: PagesOfTables, processes: number): readonly string[] {
  const entries = list.split('\n').flatMap((line) => {
    const [, dumpId, oid = '', kind] = /^(\d+); \d+ (\d+) (TABLE DATA )?/.exec(line) ?? [];
    return dumpId === undefined ? [] : [{ dumpId, pages: kind === undefined ? 0 : Math.max(pagesOf.get(oid) ?? 0, 1) }];
  });
  const shares = Array.from({ length: processes }, (): Share => ({ pages: 0, dumpIds: [] }));
  const [first] = shares;
  for (const { dumpId, pages } of entries.toSorted((one, other) => other.pages - one.pages)) {
    const least = pages === 0 ? first : shares.toSorted((one, other) => one.pages - other.pages)[0];
    least?.dumpIds.push(dumpId);
    if (least) least.pages += pages;
  }
  return shares.map(({ dumpIds }) => dumpIds.map((dumpId) => `${dumpId};\n`).join(''));
}

/**
 * Unpacks every byte of an archive; a large one by several processes, each its share of the tables.
 *
 * @param jobs that dumped it
 * @throws AisecError as `unpackArchive` and `withPrivateDirectory`.
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
  const lists = shareOut(await listArchive(request), pagesOf, processes);
  await withPrivateDirectory('aisec-read-back-', async (directory) => {
    await allSettled(
      lists.map((text, index) => {
        const list = join(directory, `list-${index}`);
        writeTemporary(list, text);
        return unpackArchive({ ...request, list });
      }),
    );
  });
}
