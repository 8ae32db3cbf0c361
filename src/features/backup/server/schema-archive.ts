import { open } from 'node:fs/promises';

import { withCredentials } from '../../../adapters/pgtools/credentials.js';
import { findTools } from '../../../adapters/pgtools/find-tools.js';
import { dumpDatabase } from '../../../adapters/pgtools/pg-dump.js';
import { serverMajor } from '../../../adapters/postgres/server-major.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import { DIMENSIONS } from '../contents/read-backup.js';
import { readArchive } from '../contents/archive.js';
import { machineOf } from '../restore/restore-checked.js';
import { countingLines } from '../restore/restore-into.js';
import { settingsFor } from '../restore/restore-passes.js';
import { loadRows, readDefinitions } from '../restore/script.js';
import { dumpApplicationName } from './dump.js';
import { dumpSettings } from './dump-settings.js';
import { findBackupTools } from './tools.js';

/**
 * Dumps one schema to a new file, on sessions of pg_dump, which see what is committed.
 *
 * @throws AisecError PG_TOOL_MISSING, as `runTool`.
 */
export async function dumpSchema(
  access: ServerAccess,
  session: Session,
  schema: string,
  { file, lockTimeoutMs }: { readonly file: string; readonly lockTimeoutMs: number },
): Promise<void> {
  const tools = await findBackupTools(access, serverMajor(session), findTools('pg_dump', access.places));
  await (await open(file, 'wx', 0o600)).close();
  const settings = await dumpSettings(session);
  await withCredentials(access.target, { applicationName: dumpApplicationName(access), settings }, (credentials) =>
    dumpDatabase({
      tool: tools.pgDump,
      credentials,
      file,
      schema,
      compression: tools.hasZstd ? 'zstd:1' : 'gzip:1',
      lockWaitTimeoutMs: lockTimeoutMs,
      environment: access.places.environment,
      signal: access.signal,
      waitForServerMs: access.waitForServerMs,
    }),
  );
}

/** Makes all that an archive has, in the transaction that is open. */
export async function loadArchive(
  access: ServerAccess,
  session: Session,
  archive: string,
  onProgress: (text: string) => void,
): Promise<void> {
  const { toc, vectorIndexes } = await readArchive(access, archive);
  const part = {
    archive,
    entries: toc.entries,
    serverMajor: serverMajor(session),
    withoutOwners: false,
    withoutPrivileges: false,
  };
  // Without a count, as much memory as the server's limit allows.
  const indexes = vectorIndexes.map((each) => ({ ...each, dimensions: DIMENSIONS, rows: Infinity }));
  for (const [name, value] of Object.entries(settingsFor(toc.entries, indexes, machineOf(access))))
    // What was dropped for it is to be gone only when this is on the disk.
    if (name !== 'synchronous_commit') await session.query('select pg_catalog.set_config($1, $2, true)', [name, value]);
  for (const { text } of await readDefinitions(access, part, 'pre-data')) await session.query(text);
  await loadRows(access, session, part, countingLines(toc.entries.length, onProgress));
  onProgress('making indexes, constraints and policies');
  for (const { text } of await readDefinitions(access, part, 'post-data')) await session.query(text);
}
