import type { Session } from '../../../adapters/postgres/session.js';
import { listed } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import type { Finding } from '../../../base/finding.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Reporting } from '../../../base/reporting.js';
import type { ServerAccess } from '../access.js';
import { extensionName, readRolesOf } from '../contents/archive.js';
import { readBackup } from '../contents/read-backup.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import { namedInSql, type TocEntry } from '../contents/toc.js';
import type { ErasureRecord } from '../erasures/erasure-record.js';
import { gatherErasures, type ErasureSource } from '../erasures/gather.js';
import { withLocalBackup, type RestoreRunOptions } from '../store/local-backup.js';
import { refuseRestore } from './findings.js';
import type { LeftOutKinds } from './left-out-kinds.js';
import { readPreflight } from './preflight.js';
import { withList } from './entry-list.js';
import { withRestoreLock } from './restore-lock.js';
import { isTable, tocName } from './table-selection.js';
import { readTargetObjects } from './target-objects.js';

/** Of every restore of a part of a backup into the database that is there. */
export interface PartRestoreOptions extends LeftOutKinds, RestoreRunOptions {
  readonly erasures: ErasureSource;
}

/** What is restored of the backup, and what of the database prevents it. */
export interface ChosenPart<Selection> {
  readonly selection: Selection;
  readonly findings: readonly Finding[];
}

/** In the archive's order. */
interface Part {
  readonly entries: readonly TocEntry[];
}

export interface ReadPart<Selection> {
  readonly backup: RestorableBackup;
  readonly selection: Selection;
  /** Of the preflight. */
  readonly warnings: readonly string[];
  /** Erasures of people since the backup. */
  readonly records: readonly ErasureRecord[];
}

/** More would hide the error above them. */
const MOST_NAMED = 60;

/** What the user named is not in the backup. */
export function unknownInBackup({ toc }: RestorableBackup, what: string): AisecError {
  const tables = toc.entries.filter(isTable).map(namedInSql).toSorted();
  return new AisecError('BACKUP_UNKNOWN', `the backup has no ${what}`, {
    detail: tables.length === 0 ? 'It has no table at all.' : `Its tables are ${listed(tables, MOST_NAMED)}.`,
    hint: 'Give the name as it stands there, or look into another backup: aisec backup list',
  });
}

/** The rows of the tables as they are to be, without those that are left out; `leftOut`: how many, by `tocName`. */
export function rowsWithout(
  rows: RestorableBackup['rows'],
  leftOut: ReadonlyMap<string, number>,
): RestorableBackup['rows'] {
  return rows.map((each) => ({ ...each, rows: each.rows - (leftOut.get(tocName(each)) ?? 0) }));
}

/** What the part needs alone: not the owner of an event trigger, nor an extension that nothing in it depends on. */
async function needsOf(access: ServerAccess, backup: RestorableBackup, { entries }: Part): Promise<RestorableBackup> {
  const needed = new Set(entries.flatMap(({ dumpId, dependsOn }) => [dumpId, ...dependsOn]));
  const names = new Set(
    backup.toc.entries.filter(({ kind, dumpId }) => kind === 'EXTENSION' && needed.has(dumpId)).map(extensionName),
  );
  return {
    ...backup,
    ...(await withList(entries, (list) => readRolesOf(access, backup.file, list))),
    extensions: backup.extensions.filter(({ name }) => names.has(name)),
    toc: { ...backup.toc, entries },
  };
}

/**
 * Reads the backup, and runs `load` with the part of it that `choose` chooses, while no other restore works on the database
 * the session is on.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError RESTORE_BLOCKED for what `choose` and the preflight find, before anything is touched.
 */
export async function restorePart<Selection extends Part, Result>(
  access: ServerAccess,
  session: Session,
  given: string,
  options: PartRestoreOptions,
  { onProgress, onWarning }: Reporting,
  choose: (
    backup: RestorableBackup,
    isInTarget: (entry: TocEntry) => boolean,
  ) => ChosenPart<Selection> | Promise<ChosenPart<Selection>>,
  load: (part: ReadPart<Selection>) => Promise<Result>,
): Promise<Result> {
  const { source, withoutManifest, withoutOwners, withoutPrivileges, waitMs } = options;
  const { signal, places } = access;
  const { databaseName } = session.info;
  const local = { ...source, withoutManifest, places, signal, onProgress };
  return withLocalBackup(given, local, async (file) => {
    const backup = await readBackup(access, file, { withoutManifest, onProgress });
    return withRestoreLock(session, databaseName, { waitMs, onProgress }, async () => {
      const { selection, findings } = await choose(backup, await readTargetObjects(session));
      const rules = { roles: 'none', withoutOwners, withoutPrivileges, createsDatabase: false } as const;
      const preflight = await readPreflight(access, session, await needsOf(access, backup, selection), rules);
      refuseRestore([...findings, ...preflight.findings], `database ${quoteIdentifier(databaseName)}`);
      const lists = { ...source, ...options.erasures };
      const { records } = await gatherErasures(access, given, lists, (use) => use(session), onWarning);
      return load({ backup, selection, warnings: preflight.warnings, records });
    });
  });
}
