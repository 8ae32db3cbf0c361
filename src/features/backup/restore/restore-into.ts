import { join } from 'node:path';

import { AisecError, isAisecError, type ErrorCode } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { throwIfInterrupted } from '../../../base/interruption.js';
import { withPrivateDirectory, writeTemporary } from '../../../adapters/files/private-directory.js';
import { serverMajor } from '../../../adapters/postgres/server-major.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { ServerAccess } from '../access.js';
import { createClauses, createStatement, type DatabaseLocale } from '../server/create-database.js';
import { databaseStatements } from './database/database-statements.js';
import type { Machine } from './fast-settings.js';
import type { NamedVectorIndex } from '../contents/restorable-backup.js';
import type { OnPhase } from './phases.js';
import { eventTriggers, restorePasses } from './restore-passes.js';
import { dropSubscriptions } from '../server/subscriptions.js';
import type { Toc, TocEntry } from '../contents/toc.js';
import { leavingOut, type LeftOutKinds } from './left-out-kinds.js';

export interface RestoreJob extends LeftOutKinds {
  /** Path of a plain archive whose checksum was compared. */
  readonly archive: string;
  readonly toc: Toc;
  /** Whether the database gets the owner, settings and grants that the backed-up one had. */
  readonly withProperties: boolean;
  readonly jobs: number;
  /** Undefined: as it was. */
  readonly locale?: DatabaseLocale | undefined;
  readonly vectorIndexes: readonly NamedVectorIndex[];
  readonly machine: Machine;
  readonly onPhase?: OnPhase;
  readonly onProgress: (text: string) => void;
}

/** pg_restore reads the entries it is to take from a file; the callback gets the path. */
export async function withList<Result>(
  entries: readonly TocEntry[],
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  return withPrivateDirectory('aisec-restore-', async (directory) => {
    const path = join(directory, 'list');
    writeTemporary(path, entries.map(({ line }) => `${line}\n`).join(''));
    return use(path);
  });
}

/** What the archive says of its database itself: CREATE DATABASE with encoding and locale, owner, settings, grants. */
export async function databaseScript(
  access: ServerAccess,
  { archive, toc }: Pick<RestoreJob, 'archive' | 'toc'>,
): Promise<string> {
  const entries = toc.entries.filter(
    ({ kind, description }) => /^DATABASE( PROPERTIES)?$/.test(kind) || description.startsWith('- DATABASE '),
  );
  return withList(entries, (list) =>
    access.pgRestore({ archive, args: ['--create', '--schema-only', `--use-list=${list}`, '--file=-'] }),
  );
}

/** Drops a database that may not be there, with the sessions on it. */
export async function dropDatabase(access: ServerAccess, session: Session, name: string): Promise<void> {
  if (!access.signal.aborted) await dropSubscriptions(access, session, name);
  // IF EXISTS alone would print a notice for one that is not there.
  await session.cleanUp('set client_min_messages = warning');
  await session.cleanUp(`drop database if exists ${quoteIdentifier(name)} with (force)`);
}

/** Reports which entry pg_restore works on, and how many of all that is. */
export function countingLines(total: number, onProgress: (text: string) => void): (line: string) => void {
  let done = 0;
  return (line) => {
    const [, what] = /^pg_restore: ((?:creating|processing|executing) .*)$/.exec(line) ?? [];
    if (what === undefined) return;
    done += 1;
    onProgress(`pg_restore: ${what} (${Math.min(done, total)} of ${total})`);
  };
}

/**
 * Makes a database from template0 with the encoding and the locale of the backed-up one, restores the whole archive
 * into it and analyzes it. When anything fails, the database is dropped again.
 *
 * @throws AisecError RESTORE_FAILED, BACKUP_INVALID, and as `Session.query`; INTERRUPTED, TERMINATED.
 */
export async function restoreInto(
  access: ServerAccess,
  maintenance: Session,
  name: string,
  job: RestoreJob,
  check: (session: Session) => Promise<void>,
): Promise<void> {
  job.onPhase?.('create');
  const script = await databaseScript(access, job);
  await maintenance.query(createStatement(createClauses(script), name, job.locale));
  try {
    const into = { database: name, serverMajor: serverMajor(maintenance) };
    await runRestore(access, into, job);
    await access.withDatabase(name, async (session) => {
      job.onPhase?.('analyze');
      job.onProgress('analyzing');
      await analyze(session);
      await check(session);
    });
    await restoreEventTriggers(access, into, job);
    if (job.withProperties)
      for (const statement of databaseStatements(script, job.toc.databaseName, name, job))
        await maintenance.query(statement);
    throwIfInterrupted(access.signal);
  } catch (error) {
    await dropDatabase(access, maintenance, name);
    throw error;
  }
}

/** A role that is no superuser is warned of each catalog that all databases share, which no restore touches. */
async function analyze(session: Session): Promise<void> {
  await session.query('set client_min_messages = error');
  await session.query('analyze');
  await session.query('set client_min_messages = notice');
}

interface RestoreTarget {
  readonly database: string;
  readonly serverMajor: number;
}

async function runRestore(access: ServerAccess, into: RestoreTarget, job: RestoreJob): Promise<void> {
  const { archive, toc, onProgress } = job;
  const onLine = countingLines(toc.entries.length, onProgress);
  try {
    for (const { phase, sections, entries, settings, jobs } of restorePasses(job)) {
      job.onPhase?.(phase);
      const args = [...sections.map((section) => `--section=${section}`), ...leavingOut(job)];
      const run = (list: readonly string[]): Promise<string> =>
        access.pgRestore({
          archive,
          into,
          settings,
          args: ['--verbose', `--jobs=${jobs}`, ...args, ...list],
          onLine,
        });
      await (entries === undefined ? run([]) : withList(entries, (list) => run([`--use-list=${list}`])));
    }
  } catch (error) {
    throw asRestoreFailure(error);
  }
}

async function restoreEventTriggers(access: ServerAccess, into: RestoreTarget, job: RestoreJob): Promise<void> {
  const entries = eventTriggers(job.toc);
  if (entries.length === 0) return;
  try {
    await withList(entries, (list) =>
      access.pgRestore({ archive: job.archive, into, args: [`--use-list=${list}`, ...leavingOut(job)] }),
    );
  } catch (error) {
    throw asRestoreFailure(error);
  }
}

const KEPT_CODES: readonly ErrorCode[] = ['PRIVILEGE_MISSING', 'EXTENSION_MISSING', 'DISK_FULL'];

/** A definition that works in its database alone, since pg_restore works with an empty search path. */
const WITHOUT_SCHEMA = /(?:relation|type) "[^".]+" does not exist|function [^".(]+\([^)]*\) does not exist/;

/** What pg_restore stumbled over, and that nothing of it stays. */
function asRestoreFailure(error: unknown): unknown {
  if (!isAisecError(error, 'PG_TOOL_FAILED', 'BACKUP_INVALID', ...KEPT_CODES)) return error;
  const detail = error.detail ?? error.message;
  const dropped = 'What had been restored was dropped again, and nothing else was touched.';
  const code = KEPT_CODES.includes(error.code) ? error.code : 'RESTORE_FAILED';
  return new AisecError(code, 'pg_restore could not restore the backup', {
    detail,
    hint: WITHOUT_SCHEMA.test(detail)
      ? `${dropped} A function in the backup names something without its schema: docs/runbook.md, "A function stops a restore", has the way.`
      : dropped,
    cause: error,
  });
}
