import { blockedBy } from '../../../adapters/postgres/locks/blocker.js';
import { stat } from 'node:fs/promises';

import { withCredentials } from '../../../adapters/pgtools/credentials.js';
import { dumpDatabase } from '../../../adapters/pgtools/pg-dump.js';
import type { PgTool } from '../../../adapters/pgtools/tool.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { LeftOutWish } from '../catalog/left-out.js';
import type { ServerAccess } from '../access.js';
import { formatBytes } from '../../../base/bytes.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { recognized } from '../run/server-texts.js';
import { conflictOf } from '../run/standby-conflict.js';
import { lockFailure, type Snapshot, type SnapshotContents } from '../run/snapshot.js';
import { withoutShortLimits } from './short-limits.js';
import { watchLocks } from './watch-locks.js';

export interface DumpOptions {
  readonly tool: PgTool;
  /** Exists, empty, and only its owner can read it. */
  readonly file: string;
  readonly compression: string;
  readonly lockTimeoutMs: number;
  readonly leftOut: LeftOutWish;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** Waiting for each other for ever: pg_dump for a session that waits for our own. */
export class DeadlockDetected extends AisecError {
  constructor(blockers: readonly string[]) {
    super('LOCK_TIMEOUT', 'pg_dump would wait for ever', { detail: blockedBy(blockers) });
  }
}

const LOOK_EVERY_MS = 1000;

/** Of pg_dump's sessions, so that a later run can end what a killed one has left. */
export function dumpApplicationName(access: ServerAccess): string {
  return `${access.applicationName}: pg_dump`;
}

function tellProgress(
  snapshot: Snapshot,
  { file, onProgress }: DumpOptions,
): { onLine: (line: string) => void; stop: () => void } {
  let [table, done] = ['', 0];
  const report = async (): Promise<void> => {
    const { size } = await stat(file);
    const tables =
      table === '' ? 'reading the catalog' : `dumping ${table} (${done} of ${snapshot.facts.tables.length} tables)`;
    onProgress(`${tables}, ${formatBytes(size)} written`);
  };
  const timer = setInterval(() => void report().catch(() => undefined), LOOK_EVERY_MS);
  return {
    onLine: (line) => {
      const [, name] = /^pg_dump: dumping contents of table "(.*)"$/.exec(line) ?? [];
      if (name === undefined) return;
      [table, done] = [name, done + 1];
      void report().catch(() => undefined);
    },
    stop: () => clearInterval(timer),
  };
}

async function runPgDump(
  access: ServerAccess,
  session: Session,
  snapshot: Snapshot,
  options: DumpOptions,
  signal: AbortSignal,
): Promise<void> {
  const progress = tellProgress(snapshot, options);
  try {
    const settings = await withoutShortLimits(session);
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
        onLine: progress.onLine,
      }),
    );
  } finally {
    progress.stop();
  }
}

/**
 * Dumps the snapshot with pg_dump, and meanwhile counts what is in it. When one of the two fails, the other is stopped.
 *
 * @throws AisecError as `runTool` and `Session.query`; a DeadlockDetected when it is to be tried again with a new snapshot.
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
      runPgDump(access, session, snapshot, options, AbortSignal.any([options.signal, work.signal])).catch(stopAll),
    ]);
    if (contents !== undefined && first === undefined) return contents;
    if (snapshot.facts.standby !== null) first = (await conflictOf(session)) ?? first;
    first = await recognized(session, first);
    if (!isAisecError(first, 'LOCK_TIMEOUT') || first instanceof DeadlockDetected) throw first;
    throw lockFailure(options.lockTimeoutMs, watch.blockers(), first);
  } finally {
    await watch.stop();
    await side.close();
  }
}
