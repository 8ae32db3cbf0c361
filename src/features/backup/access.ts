import { isAisecError } from '../../base/errors.js';
import type { ServerTarget } from '../../config/database-target.js';
import type { ToolPlaces } from '../../adapters/pgtools/find-tools.js';
import type { OpenedEmbedded } from '../../adapters/embedded/embedded.js';
import type { OpenOptions } from '../../adapters/postgres/open-options.js';
import type { Session } from '../../adapters/postgres/session.js';

export interface PgRestoreRun {
  /** Path of the archive. */
  readonly archive: string;
  readonly args: readonly string[];
  /** To restore into; without it nothing is connected to. It stops at the first error. */
  readonly into?: { readonly database: string; readonly serverMajor: number };
  /** For the session of pg_restore. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called with each line of stderr, which --verbose fills. */
  readonly onLine?: (line: string) => void;
  /** Gets what it writes on stdout as it comes; nothing is returned then. */
  readonly onStdout?: (chunk: Buffer) => Promise<void>;
}

/** What is the same for a server and for the embedded database. */
export interface BackupRun {
  /** Where the programs are looked for. */
  readonly places: ToolPlaces;
  /** As shown in pg_stat_activity: `aisec backup`. */
  readonly applicationName: string;
  /** The database of the settings; it may not exist. */
  readonly databaseName: string;
  readonly signal: AbortSignal;
}

/** The embedded database, as backups and restores need it. */
export interface EmbeddedAccess extends BackupRun {
  readonly dataDir: string;
  /** `embedded database .aisec/pgdata`. */
  readonly label: string;
  /** For further databases in memory. */
  readonly options: OpenOptions;
  /** Opened under the lock of its directory. @throws AisecError as `openEmbeddedDirectory`. */
  readonly withDatabase: <Result>(use: (opened: OpenedEmbedded) => Promise<Result>) => Promise<Result>;
}

/** One server, as backups and restores need it: any of its databases, and the programs of PostgreSQL. */
export interface ServerAccess extends BackupRun {
  readonly target: ServerTarget;
  readonly host: string;
  /** How long programs are started again while the server has no connection left. */
  readonly waitForServerMs: number;
  readonly withDatabase: <Result>(name: string, use: (session: Session) => Promise<Result>) => Promise<Result>;
  /** @throws AisecError as `runTool` does; PG_TOOL_MISSING naming every program that cannot read the archive. Returns stdout. */
  readonly pgRestore: (run: PgRestoreRun) => Promise<string>;
}

/**
 * A session on a database that is always there, for creating, renaming and dropping others.
 *
 * @throws AisecError as opening a session does.
 */
export async function withMaintenance<Result>(
  access: ServerAccess,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  let isOpen = false;
  try {
    return await access.withDatabase('postgres', (session) => {
      isOpen = true;
      return use(session);
    });
  } catch (error) {
    if (isOpen || !isAisecError(error, 'DATABASE_MISSING', 'PRIVILEGE_MISSING')) throw error;
    return access.withDatabase('template1', use);
  }
}
