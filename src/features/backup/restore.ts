import { countText } from '../../base/count.js';
import { withMaintenance, type ServerAccess } from './access.js';
import type { ErasedAgain, ErasureOptions } from './erasures/erased-again.js';
import { gatherErasures, type ErasureLists } from './erasures/gather.js';
import { beforeName, workingName } from './restore/database/database-names.js';
import { tenantWarnings } from './contents/tenants.js';
import { formatByName, formatOf, requireForServer } from './contents/backup-format.js';
import { refuseRestore, restoreFinding } from './restore/findings.js';
import { withLocalBackup, type RestoreRunOptions } from './store/local-backup.js';
import { readBackup } from './contents/read-backup.js';
import { restoreChecked } from './restore/restore-checked.js';
import { dropDatabase } from './restore/restore-into.js';
import { subscriptionWarnings } from './server/subscriptions.js';
import { readSqlBackup } from './embedded/sql-backup.js';
import { withRestoreLock } from './restore/restore-lock.js';
import { renameDatabase, sessionsDetail, sessionsOn, swapDatabases } from './restore/database/swap.js';
import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import type { Finding } from '../../base/finding.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { throwIfInterrupted } from '../../base/interruption.js';
import type { Reporting } from '../../base/reporting.js';
import type { RestorableBackup } from './contents/restorable-backup.js';
import type { DatabaseLocale } from './server/create-database.js';
import { readPreflight, type Preflight, type RoleSource } from './restore/preflight.js';
import type { LeftOutKinds } from './restore/left-out-kinds.js';
import { shellWord } from '../../base/package/aisec-command.js';

export interface DatabaseRestoreOptions extends LeftOutKinds, RestoreRunOptions {
  readonly erasures: ErasureOptions;
  readonly mode: 'create' | 'replace';
  /** Of the new database, or of the one that is replaced. */
  readonly target: string;
  readonly roles: RoleSource;
  /** Of the new database; undefined: as it was. */
  readonly locale?: DatabaseLocale | undefined;
  /** Ends the sessions of others on the database that is replaced. */
  readonly terminates: boolean;
  /** Default: as `restoreChecked`. */
  readonly jobs?: number;
}

export interface DatabaseRestoreResult {
  readonly mode: 'create' | 'replace';
  readonly file: string;
  readonly database: string;
  readonly isDryRun: boolean;
  /** In order, as sentences. */
  readonly steps: readonly string[];
  readonly warnings: readonly string[];
  readonly tables: number;
  readonly rows: number;
  /** Null in a dry run. */
  readonly erasedAgain: ErasedAgain | null;
  /** Where the replaced database is kept; null where none was. */
  readonly before: string | null;
  readonly durationMs: number;
}

/** Asked before a live database is replaced; throws when it is not confirmed. */
export type Confirm = (steps: readonly string[]) => Promise<void>;

interface DatabaseRow {
  readonly owner: string;
  readonly is_owned: boolean;
  readonly comment: string | null;
}

interface Found {
  readonly target: DatabaseRow | undefined;
  readonly working: DatabaseRow | undefined;
  readonly sessions: readonly string[];
}

async function databaseNamed(session: Session, name: string): Promise<DatabaseRow | undefined> {
  return (await session.query<DatabaseRow>(sqlFile('backup/database'), [name])).rows[0];
}

/** On a restored and checked database that waits for its swap: the next run only swaps it. */
function readyComment(backup: RestorableBackup, target: string): string {
  return `aisec restore: checked, ready to replace ${quoteIdentifier(target)}; from the archive with sha256 ${backup.sha256}`;
}

function targetFindings({ target, sessions }: Found, options: DatabaseRestoreOptions): readonly Finding[] {
  const name = quoteIdentifier(options.target);
  if (options.mode === 'create')
    return target === undefined
      ? []
      : [
          restoreFinding('target', name, {
            message: `database ${name} exists`,
            impact: '--create makes a new database; give another name, or --replace to swap it in',
          }),
        ];
  if (target === undefined)
    return [
      restoreFinding('target', name, {
        message: `database ${name} does not exist`,
        impact: `--replace needs one to replace; give --create ${shellWord(options.target)}`,
      }),
    ];
  const owner = target.is_owned
    ? []
    : [
        restoreFinding('target-owner', name, {
          message: `this role is not a member of ${quoteIdentifier(target.owner)}, the owner of ${name}`,
          impact: 'only its owner may rename a database; restore as its owner or a superuser',
        }),
      ];
  if (sessions.length === 0 || options.terminates) return owner;
  return [
    ...owner,
    restoreFinding('sessions', name, {
      message: `${countText(sessions.length, 'session is', 'sessions are')} connected to ${name}: ${sessionsDetail(sessions)}`,
      impact: 'a database in use cannot be renamed; stop the applications, or give --terminate to end them at the swap',
      fix: `select pg_terminate_backend(pid) from pg_stat_activity where datname = ${quoteLiteral(options.target)} and pid <> pg_backend_pid();`,
    }),
  ];
}

function stepsOf(
  found: Found,
  backup: RestorableBackup,
  preflight: Preflight,
  options: DatabaseRestoreOptions,
  before: string,
  { records, sources }: ErasureLists,
): readonly string[] {
  const [target, working] = [quoteIdentifier(options.target), quoteIdentifier(workingName(options.target))];
  const isReady = found.working?.comment === readyComment(backup, options.target);
  return [
    ...(backup.lacks === undefined ? [] : [`the backup is partial: go without ${backup.lacks}`]),
    ...(preflight.rolesToCreate.length === 0
      ? []
      : [`create the roles ${preflight.rolesToCreate.map(quoteIdentifier).join(', ')}`]),
    ...(isReady
      ? [`take ${working}, which an earlier run has restored and checked`]
      : [
          ...(found.working === undefined ? [] : [`drop ${working}, which an earlier run left unfinished`]),
          `restore into the new database ${working}, analyze it${backup.rows.length === 0 ? '' : `, compare ${backup.rows.length} tables with the manifest`}`,
        ]),
    ...(records.length === 0
      ? []
      : [
          `erase again whom it brings back of ${countText(records.length, 'erasure')} on record in ${sources.join(', ')}`,
        ]),
    options.mode === 'create'
      ? `rename it to ${target}`
      : `in one transaction, rename ${target} to ${quoteIdentifier(before)} and ${working} to ${target}`,
  ];
}

/**
 * Restores a whole backup as a new database, or beside a live one and then swapped in.
 *
 * It works in a database of its own, `aisec_restoring_<target>`, and gives it its name at the very end. Killed at any
 * moment, the target is what it was, and the next run drops the unfinished database; one that was already checked and
 * waited for its swap is swapped in.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError BACKUP_UNKNOWN, BACKUP_INVALID, RESTORE_BLOCKED before anything is touched; RESTORE_FAILED,
 *   RUN_LOCKED, REFUSED.
 */
export async function restoreDatabase(
  access: ServerAccess,
  given: string,
  options: DatabaseRestoreOptions,
  confirm: Confirm,
  reporting: Reporting,
): Promise<DatabaseRestoreResult> {
  const { source, withoutManifest } = options;
  const { signal, places } = access;
  requireForServer(given, formatByName(given));
  const local = { ...source, withoutManifest, places, signal, onProgress: reporting.onProgress };
  return withLocalBackup(given, local, async (file) => ({
    ...(await restorePlain(access, file, given, options, confirm, reporting)),
    file: given,
  }));
}

/** An archive of pg_dump, or SQL of the embedded database. */
async function readAny(
  access: ServerAccess,
  file: string,
  options: DatabaseRestoreOptions,
  { onProgress }: Reporting,
): Promise<RestorableBackup> {
  const { withoutManifest, withoutOwners, withoutPrivileges } = options;
  const format = withoutManifest ? formatByName(file) : formatOf(file);
  if (format !== 'sql') return readBackup(access, file, { withoutManifest, onProgress });
  if (withoutManifest || withoutOwners || withoutPrivileges || options.locale !== undefined)
    throw new AisecError(
      'USAGE',
      '--without-manifest, --no-owner, --no-privileges and --locale are for archives of pg_dump',
      {
        hint: 'SQL has no owners; --create-roles makes the roles that it grants privileges to.',
      },
    );
  return readSqlBackup(file, access.signal);
}

async function restorePlain(
  access: ServerAccess,
  file: string,
  given: string,
  options: DatabaseRestoreOptions,
  confirm: Confirm,
  reporting: Reporting,
): Promise<DatabaseRestoreResult> {
  const startedMs = performance.now();
  const { mode, target } = options;
  const working = workingName(target);
  const before = beforeName(target, new Date());
  const backup = await readAny(access, file, options, reporting);
  return withMaintenance(access, async (maintenance) => {
    if (maintenance.info.databaseName === target)
      throw new AisecError('REFUSED', `database ${quoteIdentifier(target)} is the one that restores work from`, {
        hint: 'Restore into a database of its own: --create NAME.',
      });
    return withRestoreLock(
      maintenance,
      target,
      { waitMs: options.waitMs, onProgress: reporting.onProgress },
      async () => {
        const found = {
          target: await databaseNamed(maintenance, target),
          working: await databaseNamed(maintenance, working),
          sessions: await sessionsOn(maintenance, target),
        };
        const preflight = await readPreflight(access, maintenance, backup, { ...options, createsDatabase: true });
        refuseRestore([...targetFindings(found, options), ...preflight.findings], quoteIdentifier(target));
        const aboutSubscriptions = await subscriptionWarnings(maintenance, backup.toc, options, before);
        const readLists = (): Promise<ErasureLists> =>
          gatherErasures(
            access,
            given,
            { ...options.source, ...options.erasures },
            (use) => access.withDatabase(access.databaseName, use),
            reporting.onWarning,
          );
        const lists = await readLists();
        const steps = stepsOf(found, backup, preflight, options, before, lists);
        const result = (isDone: boolean, erasedAgain: ErasedAgain | null = null): DatabaseRestoreResult => ({
          mode,
          file: backup.file,
          database: target,
          isDryRun: !isDone,
          steps,
          warnings: [...preflight.warnings, ...aboutSubscriptions, ...tenantWarnings(backup.toc)],
          tables: backup.rows.length,
          rows: backup.rows.reduce((sum, { rows }) => sum + rows, 0),
          erasedAgain,
          before: mode === 'replace' ? before : null,
          durationMs: Math.round(performance.now() - startedMs),
        });
        if (options.isDryRun) return result(false);
        if (mode === 'replace') await confirm(steps);
        await withTransaction(maintenance, async () => {
          for (const statement of preflight.roleStatements) await maintenance.query(statement);
        });
        if (found.working?.comment !== readyComment(backup, target)) {
          if (found.working !== undefined) await dropDatabase(access, maintenance, working);
          await restoreChecked(access, maintenance, working, backup, {
            withoutOwners: options.withoutOwners,
            withoutPrivileges: options.withoutPrivileges,
            // The one that is replaced keeps its own.
            withProperties: mode === 'create',
            locale: options.locale,
            ...(options.jobs !== undefined && { jobs: options.jobs }),
            onProgress: reporting.onProgress,
          });
        }
        throwIfInterrupted(access.signal);
        // It has its name only afterwards. Asked again: a restore takes its time, and another person may have been erased since.
        const { records, sources } = mode === 'replace' ? await readLists() : lists;
        const again = await access.withDatabase(working, (session) =>
          options.erasures.eraseAgain(session, records, reporting),
        );
        const erasedAgain = { sources, known: records.length, ...again };
        if (mode === 'create') {
          await renameDatabase(maintenance, working, target);
          return result(true, erasedAgain);
        }
        await maintenance.query(
          `comment on database ${quoteIdentifier(working)} is ${quoteLiteral(readyComment(backup, target))}`,
        );
        reporting.onProgress('swapping the databases');
        await swapDatabases(maintenance, { live: target, working, before, terminates: options.terminates });
        return result(true, erasedAgain);
      },
    );
  });
}
