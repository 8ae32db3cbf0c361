import { indexOfMigration } from '../find-migration.js';
import type { MigrationFile } from '../files/migration-file.js';
import { isRepeatable } from '../files/source.js';
import type { HistoryTables } from './tables.js';

/** One change of the history of a source. No statement of a migration runs, and no object of the schema changes. */
export type RepairAction = { readonly source: string } & (
  | {
      /**
       * engine: pgmigrations lacks rows that aisec_migrations has. own: aisec_migrations lacks rows that pgmigrations has;
       * they are taken from the files. foreign: rows that another program wrote move to a table of their own.
       */
      readonly kind: 'restore pgmigrations' | 'restore aisec_migrations' | 'move foreign rows';
      readonly names: readonly string[];
    }
  /** The file as it is now counts as the one that was applied. */
  | { readonly kind: 'accept edit'; readonly name: string; readonly before: string; readonly after: string }
  /** The file has another name now. */
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }
  /** The migration is taken out of the history; what it made stays. */
  | { readonly kind: 'forget'; readonly name: string }
);

/** Where rows of another program go; node-pg-migrate takes it as --migrations-table. */
export const FOREIGN_TABLE = 'pgmigrations_of_other';

/** What heals tables that disagree: nothing of it needs a decision but that of the rows of another program. */
export function healingActions(
  { source, engine, own }: HistoryTables,
  files: readonly MigrationFile[],
): readonly RepairAction[] {
  const known = new Set(files.filter((file) => file.source === source).map(({ name }) => name));
  const [engineNames, ownNames] = [new Set(engine), new Set(own.map(({ name }) => name))];
  const lost = own.filter((row) => row.state === 'applied' && !engineNames.has(row.name) && !isRepeatable(row));
  const unknown = [...engineNames].filter((name) => !ownNames.has(name));
  const ours = unknown.filter((name) => known.has(name));
  const foreign = unknown.filter((name) => !known.has(name));
  return [
    ...(foreign.length === 0 ? [] : [{ source, kind: 'move foreign rows', names: foreign } as const]),
    ...(lost.length === 0
      ? []
      : [{ source, kind: 'restore pgmigrations', names: lost.map(({ name }) => name) } as const]),
    ...(ours.length === 0 ? [] : [{ source, kind: 'restore aisec_migrations', names: ours } as const]),
  ];
}

/** The recorded migration that a user names, as `0012_knowledge` or `app/0001_add_invoices`. @throws AisecError MIGRATION_UNKNOWN. */
function recordedMigration(
  name: string,
  histories: readonly HistoryTables[],
): { source: string; name: string; checksum: string } {
  const recorded = histories.flatMap(({ source, own }) => own.map((row) => ({ source, ...row })));
  const found = recorded[indexOfMigration(name, recorded)];
  if (found === undefined) throw new Error('a migration that was found is not there');
  return found;
}

/** Accepts what differs between one recorded migration and its file. @throws AisecError MIGRATION_UNKNOWN. */
export function acceptingAction(
  wanted: string,
  histories: readonly HistoryTables[],
  allFiles: readonly MigrationFile[],
): RepairAction | undefined {
  const { source, name, checksum } = recordedMigration(wanted, histories);
  const files = allFiles.filter((file) => file.source === source);
  const file = files.find((found) => found.name === name);
  if (file !== undefined)
    return file.checksum === checksum
      ? undefined
      : { source, kind: 'accept edit', name, before: checksum, after: file.checksum };
  const own = histories.find((history) => history.source === source)?.own ?? [];
  const twin = files.find((found) => found.checksum === checksum && !own.some((row) => row.name === found.name));
  return twin === undefined ? { source, kind: 'forget', name } : { source, kind: 'rename', name, to: twin.name };
}
