import { AisecError, isAisecError, type ErrorCode } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { throwIfInterrupted } from '../../../base/interruption.js';
import { serverMajor } from '../../../adapters/postgres/server-major.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import type { PgRestoreRun, ServerAccess } from '../access.js';
import { withList } from './entry-list.js';
import { createClauses, createStatement, type DatabaseLocale } from '../server/create-database.js';
import { databaseStatements } from './database/database-statements.js';
import type { Machine, Settings } from './fast-settings.js';
import type { NamedVectorIndex } from '../contents/restorable-backup.js';
import type { OnPhase } from './phases.js';
import { eventTriggers, restorePasses } from './restore-passes.js';
import { recognized } from '../run/server-texts.js';
import { dropSubscriptions } from '../server/subscriptions.js';
import type { Toc } from '../contents/toc.js';
import { leavingOut, type LeftOutKinds } from './left-out-kinds.js';
import { isGrant, readUnfitDefinitions } from './script.js';

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
    await runRestore(access, into, job).catch(async (error: unknown) => {
      throw asRestoreFailure(await recognized(maintenance, error));
    });
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
  const isWhole = await analyzeSome(session, 'analyze');
  // One table that cannot be read, as the parent of a foreign table whose server is away, ends it for all of them.
  if (!isWhole)
    for (const { name } of (await session.query<{ name: string }>(sqlFile('backup/tables-to-analyze'))).rows)
      await analyzeSome(session, `analyze ${name}`);
  await session.query('set client_min_messages = notice');
}

/** Statistics are no part of a backup: without those of a table its queries are slower until autovacuum has been there. */
async function analyzeSome(session: Session, sql: string): Promise<boolean> {
  try {
    await session.query(sql);
    return true;
  } catch (error) {
    if (!isAisecError(error, 'DATABASE_FAILED')) throw error;
    return false;
  }
}

type RestoreTarget = NonNullable<PgRestoreRun['into']>;

async function runRestore(access: ServerAccess, into: RestoreTarget, job: RestoreJob): Promise<void> {
  const { archive, toc, onProgress } = job;
  const onLine = countingLines(toc.entries.length, onProgress);
  const part = { ...job, entries: toc.entries, serverMajor: into.serverMajor };
  const unfit = await readUnfitDefinitions(access, part);
  const runUnfit = async (statements: readonly Statement[], settings: Settings): Promise<void> => {
    await access.withDatabase(into.database, (session) => runStatements(session, statements, settings));
  };
  for (const { phase, sections: all, entries, settings, jobs } of restorePasses(job)) {
    job.onPhase?.(phase);
    const ofSession = all.includes('pre-data') ? (unfit ?? []) : [];
    const sections = all.filter((section) => section !== 'pre-data' || unfit === undefined);
    if (ofSession.length > 0) {
      onProgress('making types, functions and tables');
      await runUnfit(
        ofSession.filter((each) => !isGrant(each)),
        settings,
      );
    }
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
    if (ofSession.some(isGrant)) await runUnfit(ofSession.filter(isGrant), settings);
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

/** One after the other, each by itself, as pg_restore sends them. @throws AisecError RESTORE_FAILED with the statement. */
async function runStatements(session: Session, statements: readonly Statement[], settings: Settings): Promise<void> {
  for (const [name, value] of Object.entries(settings))
    await session.query('select pg_catalog.set_config($1, $2, false)', [name, value]);
  for (const { text } of statements)
    try {
      await session.query(text);
    } catch (error) {
      if (!isAisecError(error, 'DATABASE_FAILED')) throw error;
      throw new AisecError('RESTORE_FAILED', error.message, {
        detail: `${error.message}\n  Command was: ${text}`,
        cause: error,
      });
    }
}

const KEPT_CODES: readonly ErrorCode[] = ['PRIVILEGE_MISSING', 'EXTENSION_MISSING', 'DISK_FULL'];

/** A definition that works in its database alone, since pg_restore works with an empty search path. */
const WITHOUT_SCHEMA = /(?:relation|type) "[^".]+" does not exist|function [^".(]+\([^)]*\) does not exist/;

/** What pg_restore stumbled over, and that nothing of it stays. */
function asRestoreFailure(error: unknown): unknown {
  if (!isAisecError(error, 'PG_TOOL_FAILED', 'BACKUP_INVALID', 'RESTORE_FAILED', ...KEPT_CODES)) return error;
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
