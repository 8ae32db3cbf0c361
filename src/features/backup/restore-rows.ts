import { countText } from '../../base/count.js';
import { AisecError, isAisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import { serverMajor } from '../../adapters/postgres/server-major.js';
import { withRollback, withTransaction, type Session } from '../../adapters/postgres/session.js';
import type { ServerAccess } from './access.js';
import { readBackup } from './contents/read-backup.js';
import { gatherErasures, type ErasureLists, type ErasureSource } from './erasures/gather.js';
import type { RestorableBackup } from './contents/restorable-backup.js';
import { refuseRestore, restoreFinding } from './restore/findings.js';
import { foreignKeyOf } from './restore/foreign-keys.js';
import { missingLargeObjects } from './rows/large-objects.js';
import { withRestoreLock } from './restore/restore-lock.js';
import { unknownInBackup } from './restore/restore-part.js';
import { readDefinitions } from './restore/script.js';
import { nameIn, type TocEntry } from './contents/toc.js';
import { tocName } from './restore/table-selection.js';
import { ChosenRows } from '../../adapters/catalog/references/chosen-rows.js';
import {
  displayName,
  placeOf,
  reachable,
  tableIn,
  type Edge,
  type TableKey,
} from '../../adapters/catalog/references/reference.js';
import { platformReferences } from '../messages/index.js';
import { makeMonths, messagesPlan } from './rows/message-months.js';
import { loadScratch } from './rows/scratch.js';
import { referencesOf, refuseDiffering, settleReferences, type RowsDanglingRule } from './rows/settle.js';
import { countStates, stageUnit, type Unit, type UnitPlan } from './rows/unit.js';
import { leaveErasedUsersOut } from './rows/leave-erased-users-out.js';
import { requireCondition, startOf, type RowsWanted } from './rows/start.js';
import { inOrder, writeUnit } from './rows/write.js';
import { withLocalBackup, type RestoreRunOptions } from './store/local-backup.js';

/** What becomes of rows that are there with other values. */
export type ExistingRule = 'refuse' | 'keep' | 'overwrite';

export interface RowsRestoreOptions extends RestoreRunOptions, ErasureSource {
  readonly wanted: RowsWanted;
  readonly existing: ExistingRule;
  readonly dangling: RowsDanglingRule;
}

/** Rows of one table. */
export interface RestoredRows {
  /** With schema. */
  readonly table: string;
  /** That were missing: written, or would be. */
  readonly restored: number;
  /** That are there as they were. */
  readonly present: number;
  /** That are there with other values: kept or overwritten, as asked. */
  readonly differing: number;
}

export interface RowsRestoreResult {
  readonly mode: 'rows';
  readonly file: string;
  readonly database: string;
  readonly isDryRun: boolean;
  readonly existing: ExistingRule;
  /** Only those with rows, in the order in which they are written. */
  readonly tables: readonly RestoredRows[];
  readonly warnings: readonly string[];
  readonly rows: number;
  readonly durationMs: number;
}

async function edgesOf(
  access: ServerAccess,
  session: Session,
  backup: RestorableBackup,
  schema: string,
): Promise<readonly Edge[]> {
  const entries = backup.toc.entries.filter(({ kind }) => kind === 'FK CONSTRAINT');
  if (entries.length === 0) return [];
  const part = {
    archive: backup.file,
    entries,
    serverMajor: serverMajor(session),
    withoutOwners: true,
    withoutPrivileges: true,
  };
  const keys = (await readDefinitions(access, part, 'post-data')).flatMap((each) => foreignKeyOf(each) ?? []);
  const tables = new Set(backup.toc.entries.filter(({ kind }) => kind === 'TABLE').map(nameIn));
  const isThere = (edge: Edge): boolean => tables.has(tocName(edge)) && tables.has(tocName(edge.refersTo));
  return [...keys, ...platformReferences(schema)].filter(isThere);
}

/** @throws AisecError RESTORE_BLOCKED naming the tables that are not in the database. */
async function requireTables(session: Session, keys: readonly TableKey[]): Promise<void> {
  const { rows } = await session.query<{ name: string }>(
    'select name from pg_catalog.unnest($1::text[]) as name where pg_catalog.to_regclass(name) is null',
    [keys],
  );
  refuseRestore(
    rows.map(({ name }) =>
      restoreFinding('table', name, {
        message: `table ${name} does not exist in the database`,
        impact: 'rows are restored into tables that are there; restore the table first: --table NAME',
      }),
    ),
    'the tables',
  );
}

async function plansOf(session: Session, keys: readonly TableKey[], schema: string): Promise<readonly UnitPlan[]> {
  const messages = [tableIn(schema, 'messages'), tableIn(schema, 'messages_archive')];
  const ofMessages = messages.filter((key) => keys.includes(key));
  const others = keys.filter((key) => !messages.includes(key) && key !== tableIn(schema, 'message_keys'));
  return [
    ...others.map((key) => ({
      key,
      sources: [key],
      lookIn: [key],
      targets: [{ table: key, condition: 'true' }],
    })),
    ...(ofMessages.length === 0 ? [] : [await messagesPlan(session, schema, ofMessages)]),
  ];
}

/** Tables that refer to each other have no order in which they could be written. */
function explainCircle(error: unknown): never {
  const { table, schema, constraint } = (isAisecError(error) ? (error.cause ?? {}) : {}) as Partial<
    Record<'table' | 'schema' | 'constraint', string>
  >;
  if (!isAisecError(error, 'DATABASE_FAILED') || error.sqlState !== '23503' || constraint === undefined) throw error;
  const place = `${quoteIdentifier(schema ?? '')}.${quoteIdentifier(table ?? '')}`;
  throw new AisecError('RESTORE_FAILED', error.message, {
    detail: error.detail,
    hint: `No changes were made. Where tables refer to each other, a key has to wait for the end of the transaction: alter table ${place} alter constraint ${quoteIdentifier(constraint)} deferrable;`,
    cause: error,
  });
}

interface Written {
  readonly tables: readonly RestoredRows[];
  readonly warnings: readonly string[];
}

async function writeAll(
  session: Session,
  keys: readonly TableKey[],
  edges: readonly Edge[],
  choice: ChosenRows,
  entries: readonly TocEntry[],
  options: RowsRestoreOptions,
): Promise<Written> {
  const { schema, existing, isDryRun } = options;
  const hasMessages = keys.includes(tableIn(schema, 'messages')) && keys.includes(tableIn(schema, 'messages_archive'));
  const warnings = hasMessages ? [...(await makeMonths(session, schema, choice))] : [];
  const staged: Unit[] = [];
  for (const plan of await plansOf(session, keys, schema)) {
    const unit = await stageUnit(session, choice, plan, staged.length);
    warnings.push(
      ...unit.lostColumns.map(
        (name) => `column ${quoteIdentifier(name)} of ${plan.key} is not restored: the table has none`,
      ),
    );
    staged.push(unit);
  }
  const differing = new Map<TableKey, number>();
  for (const unit of staged) differing.set(unit.key, (await countStates(session, unit)).differs);
  if (existing === 'refuse') refuseDiffering(differing);
  // What is kept is as good as equal from here on.
  if (existing === 'keep')
    for (const { stage } of staged)
      await session.query(`update ${stage} set aisec_state = 'kept' where aisec_state = 'differs'`);
  const references = referencesOf(staged, edges, schema);
  warnings.push(...(await settleReferences(session, references, options.dangling)));
  const parentsOf = (unit: Unit): readonly Unit[] =>
    references.filter((each) => each.unit === unit).flatMap(({ parent }) => parent ?? []);
  const tables: RestoredRows[] = [];
  await session.query('set constraints all deferred');
  for (const unit of inOrder(staged, parentsOf)) {
    const counts = await countStates(session, unit);
    await writeUnit(session, unit, { overwrites: existing === 'overwrite', isDryRun }).catch(explainCircle);
    const row = {
      table: displayName(unit.key),
      restored: counts.new,
      present: counts.equal,
      differing: differing.get(unit.key) ?? 0,
    };
    if (row.restored + row.present + row.differing > 0) tables.push(row);
  }
  await session.query('set constraints all immediate');
  const restored = staged.map(({ key, stage }) => ({ name: displayName(key), rows: stage }));
  warnings.push(...(await missingLargeObjects(session, entries, restored)));
  return { tables, warnings };
}

async function restoreInto(
  access: ServerAccess,
  session: Session,
  backup: RestorableBackup,
  lists: ErasureLists,
  options: RowsRestoreOptions,
  { onProgress }: Reporting,
): Promise<Written> {
  const start = startOf(options);
  await requireCondition(start);
  const all = await edgesOf(access, session, backup, options.schema);
  const keys = start.follows ? [...reachable(start.keys[0], all)] : start.keys;
  const there = new Set(backup.toc.entries.filter(({ kind }) => kind === 'TABLE').map(nameIn));
  const [lacking] = start.keys.filter((key) => !there.has(tocName(placeOf(key))));
  if (lacking !== undefined) throw unknownInBackup(backup, `table ${lacking}`);
  await requireTables(session, keys);
  // Fails where it would hide rows, rather than take them for missing.
  await session.query('set row_security = off');
  const loaded = await loadScratch(access, session, backup, keys, start.month, onProgress);
  await session.query('select pg_catalog.set_config($1, $2, false)', [
    'search_path',
    `${quoteIdentifier(options.schema)}, public`,
  ]);
  onProgress('choosing rows');
  const choice = await ChosenRows.of(session, loaded);
  let found = 0;
  for (const key of start.keys) found += await choice.where(key, start.condition);
  if (found === 0)
    throw new AisecError('BACKUP_UNKNOWN', 'the backup has no such rows', {
      detail: `No row of ${start.keys.join(', ')} meets: ${start.condition}`,
      hint: 'Check the condition, or look into another backup: aisec backup list',
    });
  const left =
    start.keys[0] === tableIn(options.schema, 'users')
      ? await leaveErasedUsersOut(session, choice, options.schema, lists)
      : 0;
  if (start.follows) await choice.follow(all);
  onProgress('comparing with the database');
  const write = (): Promise<Written> => writeAll(session, keys, all, choice, backup.toc.entries, options);
  const written = await (options.isDryRun ? withRollback(session, write) : withTransaction(session, write));
  if (left === 0) return written;
  const warning = `left out: ${countText(left, 'user')} erased since, on record in ${lists.sources.join(', ')}`;
  return { ...written, warnings: [warning, ...written.warnings] };
}

/**
 * Restores rows of a backup into the tables that are there, with all that refers to them by foreign keys, in one
 * transaction. Rows that are there as they were are skipped. The tables are loaded as temporary ones first, so that
 * nothing of it stays when the run is killed.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError RESTORE_BLOCKED for rows that are there with other values, and for references to nothing;
 *   BACKUP_UNKNOWN when the backup has no such table or rows; USAGE for what is no condition.
 */
export async function restoreRows(
  access: ServerAccess,
  given: string,
  options: RowsRestoreOptions,
  reporting: Reporting,
): Promise<RowsRestoreResult> {
  const startedMs = performance.now();
  const { source, withoutManifest, waitMs, isDryRun, existing } = options;
  const { onProgress } = reporting;
  const { signal, places, databaseName } = access;
  const local = { ...source, withoutManifest, places, signal, onProgress };
  return withLocalBackup(given, local, async (file) => {
    const backup = await readBackup(access, file, { withoutManifest, onProgress });
    return access.withDatabase(databaseName, (session) =>
      withRestoreLock(session, databaseName, { waitMs, onProgress }, async () => {
        const lists = await gatherErasures(
          access,
          given,
          { ...source, ...options },
          (use) => use(session),
          reporting.onWarning,
        );
        const { tables, warnings } = await restoreInto(access, session, backup, lists, options, reporting);
        return {
          mode: 'rows',
          file: given,
          database: databaseName,
          isDryRun,
          existing,
          tables,
          warnings:
            backup.lacks === undefined ? warnings : [`the backup is partial: it lacks ${backup.lacks}`, ...warnings],
          rows: tables.reduce((sum, { restored }) => sum + restored, 0),
          durationMs: Math.round(performance.now() - startedMs),
        };
      }),
    );
  });
}
