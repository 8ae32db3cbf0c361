import type { CacheAccess } from '../features/cache/access.js';
import { explaining } from '../adapters/postgres/explain/explaining.js';
import type { KeptSession } from '../adapters/postgres/kept-session.js';
import type { OpenOptions } from '../adapters/postgres/open-options.js';
import type { ToolPlaces } from '../adapters/pgtools/find-tools.js';
import type { Session } from '../adapters/postgres/session.js';
import type { EmbeddedAccess, ServerAccess } from '../features/backup/access.js';
import { AisecError, isAisecError } from '../base/errors.js';
import { withTimeout } from '../base/interruption.js';
import type { Config } from '../config/config.js';
import type { DatabaseTarget, ServerTarget } from '../config/database-target.js';

import { compileOnce } from './compile-once.js';
import type { DatabaseOptions } from './database-options.js';
import type { CompletionNode } from './completion/node.js';
import { unlessOnCitus } from './schemas/refuse-on-citus.js';
import { showNotice } from './terminal/notice.js';
import type { Output } from './terminal/output.js';
import type { Progress } from './terminal/progress.js';
import type { Prompt } from './terminal/prompt.js';

interface Given {
  readonly commandName: string;
  /** Of a run over several schemas only the first one looks at what is the same in all: the server, the database as a whole. */
  readonly isFirstSchema: boolean;
  readonly config: Config;
  readonly output: Output;
  readonly progress: Progress;
  readonly prompt: Prompt;
  readonly signal: AbortSignal;
  /** All commands with their options: a command cannot import the list that it is in. */
  readonly commandTree: () => Promise<CompletionNode>;
}

/** What a command gets: settings, the terminal, and the outside world, opened only when it is used. */
export interface Context extends Given {
  /** Runs the callback with a session on the chosen database, and closes it whatever happens. */
  readonly withDatabase: <Result>(
    settings: DatabaseOptions,
    use: (session: Session) => Promise<Result>,
  ) => Promise<Result>;
  /**
   * The same on a replica of the chosen server; what the URL leaves open is as there.
   *
   * @throws AisecError USAGE for the embedded database.
   */
  readonly withReplica: <Result>(url: string, use: (session: Session) => Promise<Result>) => Promise<Result>;
  /**
   * The same on another database, which a flag names: a server, or a new embedded database in a directory, which is there
   * when the callback is done, as a whole.
   *
   * @throws AisecError CONFIG_INVALID, DATABASE_*; USAGE for a directory that is not empty.
   */
  readonly withOther: <Result>(
    place: { readonly url: string; readonly flag: string } | { readonly newDirectory: string },
    use: (session: Session) => Promise<Result>,
  ) => Promise<Result>;
  /** The same with a new, empty database in memory, whichever was chosen. */
  readonly withScratchDatabase: <Result>(
    use: (session: Session) => Promise<Result>,
    settings?: Pick<DatabaseOptions, 'isSilent'>,
  ) => Promise<Result>;
  /** Whether there is an embedded database in the directory; opens nothing. */
  readonly hasEmbedded: (dataDir: string) => Promise<boolean>;
  /** Where PostgreSQL's programs are looked for; no server is needed. */
  readonly programPlaces: ToolPlaces;
  /**
   * The configured server, any of its databases, and its client programs. All of it stops after `timeoutMs`; 0: never.
   *
   * @throws AisecError USAGE for the embedded database.
   */
  readonly serverAccess: (settings?: { readonly timeoutMs: number }) => Promise<ServerAccess>;
  /**
   * The configured embedded database, waiting up to `waitMs` for another process to close it; undefined where a server
   * is configured.
   */
  readonly embeddedAccess: (settings: {
    readonly timeoutMs: number;
    readonly waitMs: number;
  }) => Promise<EmbeddedAccess | undefined>;
  /** For a database in memory, beside any that is configured. */
  readonly scratchOptions: (signal: AbortSignal, settings?: Pick<DatabaseOptions, 'isBrief'>) => OpenOptions;
  /**
   * Runs the callback with the configured Redis, as one of those who share it as a cache.
   *
   * @throws AisecError CONFIG_INVALID without REDIS_URL, USAGE for the embedded database, REDIS_UNREACHABLE.
   */
  readonly withCache: <Result>(use: (access: CacheAccess) => Promise<Result>) => Promise<Result>;
}

export type { KeptSession, Session };

export interface ContextParts extends Given {
  /** Of a run over several schemas: the session of the ones before, which this one continues with. */
  readonly keptSession?: KeptSession;
  /** Runs in other schemas may be at work beside it. */
  readonly isWithinSchema?: boolean;
}

/** What a context is made of, and the server that it works on. */
interface Inside extends ContextParts {
  /** Of several servers that are named the one that the first session found: one run works on one server. */
  readonly choice: { server?: ServerTarget };
}

const [DEFAULT_LOCK_TIMEOUT_MS, DEFAULT_IDLE_TIMEOUT_MS] = [2000, 60_000];

/** Another database of the server that is configured. */
function onDatabase(target: DatabaseTarget, database: string): DatabaseTarget {
  return target.kind === 'server' ? { ...target, connection: { ...target.connection, database } } : target;
}

async function chosenTarget({ config, choice }: Inside, isEmbeddedMeant?: boolean): Promise<DatabaseTarget> {
  if (choice.server !== undefined) return choice.server;
  const { resolveDatabaseTarget } = await import('../config/database-target.js');
  return resolveDatabaseTarget(config, isEmbeddedMeant);
}

async function openDatabase(parts: Inside, settings: DatabaseOptions): Promise<Session> {
  if (parts.choice.server === undefined) return openOnServer(parts, settings);
  const { lostServer } = await import('../adapters/postgres/connect-error.js');
  return openOnServer(parts, settings).catch((error: unknown) => {
    throw lostServer(error);
  });
}

async function openOnServer(parts: Inside, settings: DatabaseOptions): Promise<Session> {
  const { openSession } = await import('../adapters/postgres/open.js');
  const target = await chosenTarget(parts, settings.isEmbeddedMeant);
  if (target.kind === 'embedded') compileOnce();
  return openSession(settings.database === undefined ? target : onDatabase(target, settings.database), {
    ...openOptions(parts, settings),
    ...(target.kind === 'server' &&
      target.servers !== undefined && {
        onServer: ({ connection, ...server }) => {
          parts.choice.server = { ...server, connection: { ...connection, database: target.connection.database } };
        },
      }),
  });
}

function openOptions(parts: ContextParts, settings: DatabaseOptions): OpenOptions {
  const { config, output, progress, signal } = parts;
  if (settings.isBrief === true) compileOnce();
  return {
    applicationName: `aisec ${parts.commandName}`,
    schema: config.schema,
    extensionSchema: config.extensionSchema,
    lockTimeoutMs: settings.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS,
    statementTimeoutMs: settings.statementTimeoutMs ?? 0,
    idleTimeoutMs: settings.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    embedded: settings.embedded ?? 'existing',
    signal,
    waitForServerMs: config.waitForDatabaseMs,
    onStep: progress.report,
    onNotice: (notice) => {
      if (settings.isSilent !== true) showNotice(output, notice);
    },
  };
}

async function closing<Own extends Pick<Session, 'close'>, R>(session: Own, use: (own: Own) => Promise<R>): Promise<R> {
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** On a database that is not the chosen one. */
async function withTarget<R>(parts: Inside, target: DatabaseTarget, use: (session: Session) => Promise<R>): Promise<R> {
  const { openSession } = await import('../adapters/postgres/open.js');
  return closing(await openSession(target, openOptions(parts, {})), explaining(use));
}

const programPlaces = ({ pgBinDir, environment }: Config): ToolPlaces => ({ pgBinDir, environment });

/** The server that pg_dump and pg_restore are to work on: of several it is found by a session on any database there. */
async function serverOfRun(parts: Inside): Promise<ServerTarget> {
  const target = await chosenTarget(parts);
  if (target.kind === 'embedded')
    throw new AisecError('USAGE', 'this works on a server, and none is configured', {
      hint: 'Set DATABASE_URL, or give --database-url.',
    });
  if (target.servers === undefined) return target;
  const database = target.connection.database;
  for (const name of [database, 'postgres', 'template1']) {
    try {
      await closing(await openDatabase(parts, { database: name }), () => Promise.resolve());
      break;
    } catch (error) {
      if (name === 'template1' || !isAisecError(error, 'DATABASE_MISSING', 'PRIVILEGE_MISSING')) throw error;
    }
  }
  return parts.choice.server === undefined ? target : (onDatabase(parts.choice.server, database) as ServerTarget);
}

async function serverAccess(given: Inside, timeoutMs: number): Promise<ServerAccess> {
  const signal = withTimeout(given.signal, timeoutMs);
  const parts = { ...given, signal };
  const { pgRestoreRunner } = await import('../features/backup/server/pg-restore.js');
  const target = await serverOfRun(parts);
  const tools = {
    target,
    places: programPlaces(given.config),
    applicationName: `aisec ${parts.commandName}`,
    waitForServerMs: given.config.waitForDatabaseMs,
    signal,
  };
  return {
    ...tools,
    host: target.connection.host,
    databaseName: target.connection.database,
    withDatabase: async (database, use) => closing(await openDatabase(parts, { database }), explaining(use)),
    pgRestore: pgRestoreRunner(tools),
  };
}

async function embeddedAccess(
  given: ContextParts,
  { timeoutMs, waitMs }: { readonly timeoutMs: number; readonly waitMs: number },
): Promise<EmbeddedAccess | undefined> {
  const { resolveDatabaseTarget } = await import('../config/database-target.js');
  const target = resolveDatabaseTarget(given.config);
  if (target.kind === 'server') return undefined;
  const { embeddedAccessTo } = await import('../features/backup/embedded/embedded-access.js');
  const parts = { ...given, signal: withTimeout(given.signal, timeoutMs) };
  return embeddedAccessTo(target, { options: openOptions(parts, {}), places: programPlaces(parts.config), waitMs });
}

async function withDatabase<Result>(
  parts: Inside,
  settings: DatabaseOptions,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { schema, extensionSchema } = parts.config;
  const open = (): Promise<Session> => openDatabase(parts, settings);
  const useIt = explaining(settings.database === undefined ? unlessOnCitus(parts.commandName, schema, use) : use);
  const kept = { schema, extensionSchema, seenTables: settings.seesFewTables === true ? 'few' : 'many' } as const;
  const useIn = (own: KeptSession) => own.use({ ...kept, likeness: JSON.stringify(settings) }, open, useIt);
  if (parts.keptSession !== undefined) return useIn(parts.keptSession);
  return parts.isWithinSchema === true ? closing(await keepSession(), useIn) : closing(await open(), useIt);
}

/** For a run over several schemas, one after the other. Close it at the end. */
export async function keepSession(): Promise<KeptSession> {
  return new (await import('../adapters/postgres/kept-session.js')).KeptSession();
}

/** The composition root: the one place of the command line that knows the adapters. */
export function createContext(given: ContextParts): Context {
  const parts: Inside = { ...given, choice: {} };
  return {
    ...given,
    withDatabase: (settings, use) => withDatabase(parts, settings, use),
    withReplica: async (url, use) => {
      const { resolveReplicaTarget } = await import('../config/replica-target.js');
      return withTarget(parts, resolveReplicaTarget(parts.config, url), use);
    },
    withOther: async (place, use) => {
      if ('newDirectory' in place) {
        const { withNewDirectory } = await import('../adapters/embedded/new-directory.js');
        return withNewDirectory(place.newDirectory, openOptions(parts, { isSilent: true, isBrief: true }), use);
      }
      const { resolveOtherTarget } = await import('../config/other-target.js');
      return withTarget(parts, resolveOtherTarget(parts.config, place.url, place.flag), use);
    },
    withScratchDatabase: async (use, settings = {}) => {
      const { openInMemory } = await import('../adapters/embedded/embedded.js');
      return closing(await openInMemory(openOptions(parts, { ...settings, isBrief: true })), use);
    },
    hasEmbedded: async (dataDir) => (await import('../adapters/embedded/embedded.js')).isThere(dataDir),
    programPlaces: programPlaces(parts.config),
    serverAccess: ({ timeoutMs } = { timeoutMs: 0 }) => serverAccess(parts, timeoutMs),
    embeddedAccess: (settings) => embeddedAccess(parts, settings),
    scratchOptions: (signal, settings = {}) => openOptions({ ...parts, signal }, settings),
    withCache: async (use) => (await import('./with-cache.js')).withCache(parts, use),
  };
}

/** A program that shows long results page by page. */
export const loadPager = () => import('../adapters/pager/show.js');
