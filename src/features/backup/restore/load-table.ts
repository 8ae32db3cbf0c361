import { serverMajor } from '../../../adapters/postgres/server-major.js';
import { withRollback, withTransaction, type Session } from '../../../adapters/postgres/session.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Finding } from '../../../base/finding.js';
import type { ServerAccess } from '../access.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import {
  describeDangling,
  findDangling,
  foreignKeyOf,
  leaveOutDangling,
  type Dangling,
  type ForeignKey,
} from './foreign-keys.js';
import { attachesToPresent, keysAndIndexes } from './alter-table.js';
import { refuseRestore, restoreFinding } from './findings.js';
import { machineOf } from './restore-checked.js';
import { countingLines } from './restore-into.js';
import { missingLargeObjects } from '../rows/large-objects.js';
import { leaveMovedOut } from '../rows/moved-months.js';
import { settingsFor } from './restore-passes.js';
import { loadRows, makeObjects, readDefinitions } from './script.js';
import { leaveErasedOut, type ErasedPeople } from './leave-erased-out.js';
import { bareName, nameIn, schemaOf } from '../contents/toc.js';
import { tocName, type TableSelection } from './table-selection.js';

/** What becomes of rows that refer to rows which are not there any more. */
export type DanglingRule = 'refuse' | 'leave-out' | 'not-valid';

export interface LoadOptions {
  readonly withoutOwners: boolean;
  readonly withoutPrivileges: boolean;
  readonly dangling: DanglingRule;
  readonly erased: ErasedPeople;
  /** Statements of the caller, at the end of the transaction. */
  readonly afterwards?: readonly string[];
  readonly isDryRun: boolean;
  readonly onProgress: (text: string) => void;
}

export interface Loaded {
  /** What was left out, or which key is not valid, one line each. */
  readonly warnings: readonly string[];
  /** By `schema table`. */
  readonly leftOut: ReadonlyMap<string, number>;
}

function isRestored(
  { tables }: TableSelection,
  { schema, table }: { readonly schema: string; readonly table: string },
): boolean {
  return tables.some(({ description }) => description.startsWith(`${tocName({ schema, table })} `));
}

function danglingFinding(dangling: Dangling, isOfRestored: boolean): Finding {
  return restoreFinding('dangling', dangling.key.name, {
    message: describeDangling(dangling),
    impact: isOfRestored
      ? 'the foreign key cannot hold; give --dangling leave-out to leave those rows out, or --dangling not-valid to keep them'
      : 'the foreign key cannot hold; delete those rows or set them null, or give --dangling not-valid to keep them',
  });
}

/** Deletes of the restored tables what refers to nothing, again and again: rows may refer to what was just deleted. */
async function leaveOut(session: Session, keys: readonly ForeignKey[]): Promise<ReadonlyMap<ForeignKey, number>> {
  const leftOut = new Map<ForeignKey, number>();
  for (let isMore = true; isMore;) {
    isMore = false;
    for (const { key } of await findDangling(session, keys)) {
      leftOut.set(key, (leftOut.get(key) ?? 0) + (await leaveOutDangling(session, key)));
      isMore = true;
    }
  }
  return leftOut;
}

/** Settles the rows that refer to nothing. Returns the keys that are to be made NOT VALID. @throws RESTORE_BLOCKED. */
async function settleDangling(
  session: Session,
  keys: readonly ForeignKey[],
  selection: TableSelection,
  rule: DanglingRule,
  { users }: ErasedPeople,
): Promise<Loaded & { readonly notValid: ReadonlySet<ForeignKey> }> {
  const leftOut = new Map<string, number>();
  const warnings: string[] = [];
  if (rule === 'leave-out')
    for (const [key, rows] of await leaveOut(
      session,
      keys.filter((each) => isRestored(selection, each)),
    )) {
      const table = tocName(key);
      leftOut.set(table, (leftOut.get(table) ?? 0) + rows);
      warnings.push(`left out: ${describeDangling({ key, rows })}`);
    }
  const dangling = await findDangling(session, keys);
  if (rule !== 'not-valid')
    refuseRestore(
      dangling.map((each) => danglingFinding(each, isRestored(selection, each.key))),
      'the tables',
    );
  if (users.size > 0)
    refuseRestore(
      dangling
        .filter(({ key }) => isRestored(selection, key))
        .map((each) =>
          restoreFinding('dangling', each.key.name, {
            message: describeDangling(each),
            impact: `they may belong to people who were erased after the backup was made, of whom ${users.size} are on record; give --dangling leave-out`,
          }),
        ),
      'the tables',
    );
  warnings.push(...dangling.map((each) => `not valid: ${describeDangling(each)}`));
  return { leftOut, warnings, notValid: new Set(dangling.map(({ key }) => key)) };
}

async function runAll(
  session: Session,
  statements: readonly Statement[],
  keys: readonly ForeignKey[],
  notValid: ReadonlySet<ForeignKey>,
): Promise<void> {
  for (const statement of statements) {
    const key = keys.find((each) => each.statement === statement);
    const isNotValid = key !== undefined && notValid.has(key);
    await session.query(isNotValid ? `${statement.text} not valid` : statement.text);
  }
}

function summed(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...one.keys(), ...other.keys()].map((key) => [key, (one.get(key) ?? 0) + (other.get(key) ?? 0)]));
}

function without(statements: readonly Statement[], others: readonly Statement[]): readonly Statement[] {
  return statements.filter((each) => !others.includes(each));
}

/**
 * Makes the chosen entries in one transaction on a session of its own. What touches tables that are there comes last, so
 * that those are locked for as short as can be. A dry run loads the rows, looks whether every key could be made, and rolls
 * back before anything that is there is touched.
 *
 * @throws AisecError RESTORE_BLOCKED for rows that refer to nothing; as `Session.query`.
 */
export async function loadTable(
  access: ServerAccess,
  backup: RestorableBackup,
  selection: TableSelection,
  options: LoadOptions,
): Promise<Loaded> {
  const { withoutOwners, withoutPrivileges, dangling, isDryRun, onProgress } = options;
  return access.withDatabase(access.databaseName, async (session) => {
    const part = {
      archive: backup.file,
      entries: selection.entries,
      serverMajor: serverMajor(session),
      withoutOwners,
      withoutPrivileges,
    };
    const before = await readDefinitions(access, part, 'pre-data');
    const after = await readDefinitions(access, part, 'post-data');
    const keys = after.flatMap((statement) => foreignKeyOf(statement) ?? []);
    const attaching = before.filter((statement) => attachesToPresent(statement, selection));
    // With its keys and indexes made first, it is attached with those; else it would get them from the table above.
    const early = attaching.length === 0 ? [] : keysAndIndexes(after);
    for (const [name, value] of Object.entries(settingsFor(selection.entries, backup.vectorIndexes, machineOf(access))))
      await session.query('select pg_catalog.set_config($1, $2, false)', [name, value]);
    return (isDryRun ? withRollback : withTransaction)(session, async () => {
      await makeObjects(session, without(before, attaching));
      await loadRows(access, session, part, countingLines(selection.entries.length, onProgress));
      await runAll(session, [...early, ...attaching], [], new Set());
      onProgress('looking for rows that refer to nothing');
      const restored = new Set(selection.tables.map(nameIn));
      const moved = await leaveMovedOut(session, restored, options.erased.schema);
      const erased = await leaveErasedOut(session, restored, keys, options.erased);
      const settled = await settleDangling(session, keys, selection, dangling, options.erased);
      const { notValid } = settled;
      const tables = selection.tables.map((entry) => {
        const name = [schemaOf(entry), bareName(entry)].map(quoteIdentifier).join('.');
        return { name, rows: name };
      });
      const lacking = await missingLargeObjects(session, backup.toc.entries, tables);
      const loaded = {
        warnings: [...moved.warnings, ...erased.warnings, ...settled.warnings, ...lacking],
        leftOut: summed(moved.leftOut, summed(erased.leftOut, settled.leftOut)),
      };
      if (isDryRun) return loaded;
      onProgress('making indexes, constraints and policies');
      await runAll(session, without(after, early), keys, notValid);
      for (const statement of options.afterwards ?? []) await session.query(statement);
      return loaded;
    });
  });
}
