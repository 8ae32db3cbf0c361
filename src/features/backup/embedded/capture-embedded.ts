import type { OpenedEmbedded } from '../../../adapters/embedded/embedded.js';
import { dataDirectoryTar, engineVersion } from '../../../adapters/embedded/tar.js';
import { ownRoles, type Contents } from './embedded-backup.js';
import { throwIfInterrupted } from '../../../base/interruption.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { readContents } from '../run/snapshot.js';
import type { ServerFacts } from '../run/server-facts.js';

/** One moment of an embedded database, in memory. */
export interface Capture {
  readonly createdAt: Date;
  readonly facts: ServerFacts;
  readonly contents: Contents;
  /** What makes its roles elsewhere. */
  readonly roleStatements: readonly string[];
  /** Of PGlite. */
  readonly engineVersion: string;
  /** Its data directory. */
  readonly tar: ArrayBuffer;
}

/** Takes the state of the database. No other session can write meanwhile: the engine has one session, and it is ours. */
export async function captureEmbedded(
  { session, engine }: OpenedEmbedded,
  facts: ServerFacts,
  { schema, onProgress }: { readonly schema: string; readonly onProgress: (text: string) => void },
): Promise<Capture> {
  const createdAt = new Date();
  onProgress('counting the rows');
  const contents = {
    ...(await readContents(session, schema, facts.tables)),
    roles: await ownRoles(session),
  };
  // As pg_dumpall writes them, without passwords.
  const roles = await session.query<{ statement: string }>(sqlFile('backup/roles'));
  const version = await engineVersion(session);
  throwIfInterrupted(session.signal);
  onProgress('reading the data directory');
  return {
    createdAt,
    facts,
    contents,
    roleStatements: roles.rows.map(({ statement }) => statement),
    engineVersion: version,
    tar: await dataDirectoryTar(engine),
  };
}
