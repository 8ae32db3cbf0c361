import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { catalogQueriesText } from '../../../adapters/catalog/snapshot.js';
import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import { writeWhole } from '../../../adapters/files/write-whole.js';
import { DAY_MS } from '../../../base/duration.js';
import { aisecVersion } from '../../../base/package/version.js';
import type { MigrationFile } from '../files/migration-file.js';

const SUFFIX = '.replay.json.gz';

export interface ReplayNames {
  readonly schema: string;
  readonly extensionSchema: string;
  /** Of the server that they are replayed on, as server_version_num; undefined: the embedded one. */
  readonly scratchServerVersion?: number;
}

/** What a replay depends on: the text of every migration, the names of the schemas, and how the catalog is read. */
export function replayKey(
  files: readonly MigrationFile[],
  { schema, extensionSchema, scratchServerVersion }: ReplayNames,
): string {
  const parts = [
    aisecVersion(),
    schema,
    extensionSchema,
    `server ${scratchServerVersion ?? 'none'}`,
    catalogQueriesText(),
    ...files.map(({ source, name, checksum }) => `${source}/${name} ${checksum}`),
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 40);
}

/** The catalog that was kept under the key; undefined when there is none, or it is damaged. */
export function readReplay(cacheDir: string, key: string): CatalogSnapshot | undefined {
  try {
    return JSON.parse(gunzipSync(readFileSync(join(cacheDir, `${key}${SUFFIX}`))).toString('utf8')) as CatalogSnapshot;
  } catch {
    return undefined;
  }
}

/** Removes the files with such endings that are older. Others may remove them at the same time. */
export function forgetOld(cacheDir: string, ending: RegExp, afterMs: number): void {
  for (const name of readdirSync(cacheDir).filter((each) => ending.test(each))) {
    const file = join(cacheDir, name);
    const { mtimeMs = Infinity } = statSync(file, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > afterMs) rmSync(file, { force: true });
  }
}

/** Keeps a catalog under the key. A directory that cannot be written only costs the time of the next replay. */
export function keepReplay(cacheDir: string, key: string, catalog: CatalogSnapshot): void {
  try {
    writeWhole(join(cacheDir, `${key}${SUFFIX}`), gzipSync(JSON.stringify(catalog)));
    forgetOld(cacheDir, /\.replay\.json\.gz$/, 30 * DAY_MS);
  } catch {
    // A read-only file system, or no space: nothing depends on it.
  }
}
