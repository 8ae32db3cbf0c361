import { basename } from 'node:path';

import type { BackupFileMode } from '../catalog/file-mode.js';
import type { BackupSideFile } from '../catalog/manifest.js';
import { globalsName } from '../catalog/names.js';
import { checksumOf } from '../../../adapters/files/checksum.js';
import { writeSmallFile } from '../../../adapters/files/publish.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';

/** What makes the roles of an embedded database on a server, without passwords, as pg_dumpall writes it. */
export async function roleStatements(session: Session): Promise<readonly string[]> {
  const { rows } = await session.query<{ statement: string }>(sqlFile('backup/roles'));
  return rows.map(({ statement }) => statement);
}

/** Writes them beside a backup. */
export async function writeRoles(
  file: string,
  statements: readonly string[],
  { mode, signal }: { readonly mode: BackupFileMode; readonly signal: AbortSignal },
): Promise<BackupSideFile> {
  const globals = globalsName(file);
  await writeSmallFile(globals, statements.map((statement) => `${statement}\n`).join(''), mode);
  return { file: basename(globals), ...(await checksumOf(globals, signal)) };
}
