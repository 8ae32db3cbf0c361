import { chooseTool, findTool, siblingOf } from '../../../adapters/pgtools/find-tools.js';
import { supportsCompression } from '../../../adapters/pgtools/pg-dump.js';
import type { PgTool, PgToolName } from '../../../adapters/pgtools/tool.js';
import type { ServerAccess } from '../access.js';

export interface BackupTools {
  readonly pgDump: PgTool;
  readonly pgRestore: PgTool;
  /** Undefined where it is missing: then there is no file of roles. */
  readonly pgDumpAll: PgTool | undefined;
  /** Whether this pg_dump was built with it. */
  readonly hasZstd: boolean;
  /** Asked only where it has no zstd. */
  readonly hasLz4: boolean;
  readonly warnings: readonly string[];
}

/**
 * The programs for a server of this major version.
 *
 * @param dumpTools every pg_dump that is installed
 * @throws AisecError PG_TOOL_MISSING naming both versions and every program that was found.
 */
export async function findBackupTools(
  { places }: ServerAccess,
  serverMajor: number,
  dumpTools: Promise<readonly PgTool[]>,
): Promise<BackupTools> {
  const dump = chooseTool('pg_dump', await dumpTools, { major: serverMajor, of: 'the server' }, places);
  const ofDump = { major: dump.tool.major, of: 'pg_dump' };
  const find = async (name: PgToolName): Promise<PgTool> =>
    siblingOf(dump.tool, name) ?? (await findTool(name, ofDump, places)).tool;
  const [pgRestore, pgDumpAll, hasZstd] = await Promise.all([
    find('pg_restore'),
    find('pg_dumpall').catch(() => undefined),
    supportsCompression(dump.tool, 'zstd:1', places.environment),
  ]);
  const hasLz4 = !hasZstd && (await supportsCompression(dump.tool, 'lz4', places.environment));
  return {
    pgDump: dump.tool,
    pgRestore,
    pgDumpAll,
    hasZstd,
    hasLz4,
    warnings: dump.warning === undefined ? [] : [dump.warning],
  };
}

/**
 * What pg_dump is to compress with. Measured on 560 MB: zstd:1 is the smallest for vectors, zstd:3 for texts, either at
 * a thirtieth and an eighteenth of the time of gzip:9, which saves 2 % over gzip:6 and costs 2.6 times as much.
 * gzip is framed otherwise in the files of several jobs than in one.
 */
export function chooseCompression({ hasZstd }: BackupTools, hasVectors: boolean, jobs: number): string {
  if (!hasZstd) return jobs > 1 ? 'lz4' : 'gzip:6';
  return hasVectors ? 'zstd:1' : 'zstd:3';
}
