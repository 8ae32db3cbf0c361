import type { OpenOptions } from '../adapters/postgres/open-options.js';
import type { Session } from '../adapters/postgres/session.js';
import type { ServerAccess } from '../adapters/restoring/access.js';
import { AisecError } from '../base/errors.js';
import type { Config } from '../config/config.js';
import type { DatabaseTarget } from '../config/database-target.js';
import type { Output } from './terminal/output.js';
import type { Progress } from './terminal/progress.js';
import type { Prompt } from './terminal/prompt.js';

export type { Session };

export interface DatabaseWishes {
  /** Another database of the same server. */
  readonly database?: string;
  /** Defaults: 2 s, no limit, 60 s. */
  readonly lockTimeoutMs?: number;
  readonly statementTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  /** What happens when there is no embedded database yet. Default: `existing`. */
  readonly embedded?: OpenOptions['embedded'];
}

/** What a command gets: settings, the terminal, and the outside world, opened only when it is used. */
export interface Context {
  readonly commandName: string;
  readonly config: Config;
  readonly output: Output;
  readonly progress: Progress;
  readonly prompt: Prompt;
  readonly signal: AbortSignal;
  /** Runs the callback with a session on the chosen database, and closes it whatever happens. */
  readonly withDatabase: <Result>(
    wishes: DatabaseWishes,
    use: (session: Session) => Promise<Result>,
  ) => Promise<Result>;
  /** The same with a new, empty database in memory, whichever was chosen. */
  readonly withScratchDatabase: <Result>(use: (session: Session) => Promise<Result>) => Promise<Result>;
  /**
   * The configured server, any of its databases, and its pg_restore.
   *
   * @throws AisecError USAGE for the embedded database.
   */
  readonly serverAccess: () => Promise<ServerAccess>;
}

export type ContextParts = Omit<Context, 'withDatabase' | 'withScratchDatabase' | 'serverAccess'>;

const DEFAULT_LOCK_TIMEOUT_MS = 2000;
const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

/** Another database of the server that is configured. */
function onDatabase(target: DatabaseTarget, database: string): DatabaseTarget {
  return target.kind === 'server' ? { ...target, connection: { ...target.connection, database } } : target;
}

async function openDatabase(parts: ContextParts, wishes: DatabaseWishes): Promise<Session> {
  const [{ resolveDatabaseTarget }, { openSession }] = await Promise.all([
    import('../config/database-target.js'),
    import('../adapters/postgres/open.js'),
  ]);
  const target = resolveDatabaseTarget(parts.config);
  return openSession(
    wishes.database === undefined ? target : onDatabase(target, wishes.database),
    openOptions(parts, wishes),
  );
}

function openOptions(parts: ContextParts, wishes: DatabaseWishes): OpenOptions {
  const { config, output, progress, signal } = parts;
  return {
    applicationName: `aisec ${parts.commandName}`,
    schema: config.schema,
    extensionSchema: config.extensionSchema,
    lockTimeoutMs: wishes.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS,
    statementTimeoutMs: wishes.statementTimeoutMs ?? 0,
    idleTimeoutMs: wishes.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    embedded: wishes.embedded ?? 'existing',
    signal,
    onStep: progress.report,
    onNotice: ({ severity, message }) => {
      if (severity === 'WARNING') output.warning(message);
      else output.note(`${severity.toLowerCase()}: ${message}`);
    },
  };
}

async function closing<Result>(session: Session, use: (session: Session) => Promise<Result>): Promise<Result> {
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

async function serverAccess(parts: ContextParts): Promise<ServerAccess> {
  const { config, signal } = parts;
  const [{ resolveDatabaseTarget }, { pgRestoreRunner }] = await Promise.all([
    import('../config/database-target.js'),
    import('../adapters/restoring/pg-restore.js'),
  ]);
  const target = resolveDatabaseTarget(config);
  if (target.kind === 'embedded')
    throw new AisecError('USAGE', 'pg_restore restores to a server, and none is configured', {
      hint: 'Set DATABASE_URL, or give --database-url.',
    });
  return {
    host: target.connection.host,
    databaseName: target.connection.database,
    signal,
    withDatabase: async (database, use) => closing(await openDatabase(parts, { database }), use),
    pgRestore: pgRestoreRunner({
      target,
      applicationName: `aisec ${parts.commandName}`,
      places: { pgBinDir: config.pgBinDir, environment: config.environment },
      signal,
    }),
  };
}

/** The composition root: the one place of the command line that knows the adapters. */
export function createContext(parts: ContextParts): Context {
  return {
    ...parts,
    withDatabase: async (wishes, use) => closing(await openDatabase(parts, wishes), use),
    withScratchDatabase: async (use) => {
      const { openInMemory } = await import('../adapters/postgres/embedded.js');
      return closing(await openInMemory(openOptions(parts, {})), use);
    },
    serverAccess: () => serverAccess(parts),
  };
}
