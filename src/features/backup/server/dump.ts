import { UnknownArchive } from '../../../adapters/pgtools/archive/contents.js';
import { requireKnownArchive } from '../../../adapters/pgtools/archive/input.js';
import { withCredentials } from '../../../adapters/pgtools/credentials.js';
import { dumpDatabase } from '../../../adapters/pgtools/pg-dump.js';
import type { PgTool } from '../../../adapters/pgtools/tool.js';
import { blockedBy } from '../../../adapters/postgres/locks/blocker.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { LeftOutWish } from '../catalog/left-out.js';
import type { ServerAccess } from '../access.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { recognized } from '../run/server-texts.js';
import { conflictOf } from '../run/standby-conflict.js';
import { lockFailure, type Snapshot, type SnapshotContents } from '../run/snapshot.js';
import { reportProgress } from './dump-progress.js';
import { dumpSettings } from './dump-settings.js';
import { waitingFor, watchLocks } from './watch-locks.js';

export interface DumpOptions {
  readonly tool: PgTool;
  /** Exists, empty, and only its owner can read it. With `jobs` a directory. */
  readonly file: string;
  /** Sessions that dump the rows, beside the first; undefined: one session, into one file. */
  readonly jobs: number | undefined;
  readonly compression: string;
  readonly lockTimeoutMs: number;
  readonly leftOut: LeftOutWish;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** Waiting for each other for ever: pg_dump for a session that waits for our own. Its jobs do not wait: pg_dump ends then. */
export class DeadlockDetected extends AisecError {
  constructor(blockers: readonly string[]) {
    super('LOCK_TIMEOUT', 'pg_dump would wait for ever', { detail: blockedBy(blockers) });
  }
}

/** Of pg_dump's sessions, so that a later run can end what a killed one has left. */
export function dumpApplicationName(access: ServerAccess): string {
  return `${access.applicationName}: pg_dump`;
}

const FIRST_DATA = /(^| )dumping contents of /;
/** pg_dump's own words, which the C locale has in English. */
const NOT_LOCKED = /could not obtain lock on relation "/;

/** Whether a session had asked for a lock that shuts readers out before a job took its own, which does not wait. */
function isRefusedToJob(error: unknown, { jobs }: DumpOptions): boolean {
  return jobs !== undefined && isAisecError(error, 'LOCK_TIMEOUT') && NOT_LOCKED.test(error.detail ?? '');
}

/** Calls `onUnknown` as soon as the data begin, before which pg_dump writes what says of which version they are. */
function watchVersion({ file, jobs }: DumpOptions, onUnknown: (error: UnknownArchive) => void): (line: string) => void {
  let isKnown = jobs === undefined;
  return (line) => {
    if (isKnown || !FIRST_DATA.test(line)) return;
    isKnown = true;
    requireKnownArchive(file).catch((error: unknown) => {
      if (error instanceof UnknownArchive) onUnknown(error);
    });
  };
}

async function runPgDump(
  access: ServerAccess,
  session: Session,
  snapshot: Snapshot,
  options: DumpOptions,
  signal: AbortSignal,
  onUnknown: (error: UnknownArchive) => void,
): Promise<void> {
  const progress = reportProgress(snapshot.facts.tables.length, options);
  const checkVersion = watchVersion(options, onUnknown);
  try {
    const settings = await dumpSettings(session);
    await withCredentials(access.target, { applicationName: dumpApplicationName(access), settings }, (credentials) =>
      dumpDatabase({
        ...options,
        environment: access.places.environment,
        signal,
        credentials,
        waitForServerMs: access.waitForServerMs,
        snapshot: snapshot.id,
        lockWaitTimeoutMs: options.lockTimeoutMs,
        isSchemaOnly: options.leftOut.isSchemaOnly,
        withoutUnlogged: snapshot.facts.standby !== null,
        withoutRowsOf: options.leftOut.patterns,
        onLine: (line) => {
          progress.onLine(line);
          checkVersion(line);
        },
      }),
    );
  } finally {
    progress.stop();
  }
}

/**
 * Dumps the snapshot with pg_dump, and meanwhile counts what is in it. When one of the two fails, the other is stopped.
 *
 * @throws AisecError as `runTool` and `Session.query`; a DeadlockDetected when it is to be tried again with a new snapshot, an
 *   UnknownArchive when it is to be tried again without jobs.
 */
export async function dumpSnapshot(
  access: ServerAccess,
  session: Session,
  snapshot: Snapshot,
  options: DumpOptions,
): Promise<SnapshotContents> {
  const { pid } = session.info;
  const side = await session.openSide();
  if (side === undefined) throw new Error('a server has second connections');
  const work = new AbortController();
  const signal = AbortSignal.any([options.signal, work.signal]);
  const watch = watchLocks(side, { applicationName: dumpApplicationName(access), pid }, () => {
    work.abort(new DeadlockDetected(watch.blockers()));
  });
  let first: unknown;
  const stopAll = async (error: unknown): Promise<undefined> => {
    first ??= error;
    work.abort(error);
    await side.query('select pg_catalog.pg_cancel_backend($1)', [pid]).catch(() => undefined);
    return undefined;
  };
  try {
    const [contents] = await Promise.all([
      snapshot.readContents().catch(stopAll),
      runPgDump(access, session, snapshot, options, signal, (error) => work.abort(error)).catch(stopAll),
    ]);
    if (contents !== undefined && first === undefined) return contents;
    if (isRefusedToJob(first, options)) first = new DeadlockDetected(await waitingFor(side, pid).catch(() => []));
    if (snapshot.facts.standby !== null) first = (await conflictOf(session)) ?? first;
    first = await recognized(session, first);
    if (!isAisecError(first, 'LOCK_TIMEOUT') || first instanceof DeadlockDetected) throw first;
    throw lockFailure(options.lockTimeoutMs, watch.blockers(), first);
  } finally {
    await watch.stop();
    await side.close();
  }
}
