import { AisecError } from '../../../base/errors.js';
import type { MigrationFile } from '../files/migration-file.js';
import type { HistoryTables } from './tables.js';

/** One change of the history. No statement of a migration runs, and no object of the schema changes. */
export type RepairAction =
  /** pgmigrations lacks rows that aisec_migrations has. */
  | { readonly kind: 'restore pgmigrations'; readonly names: readonly string[] }
  /** aisec_migrations lacks rows that pgmigrations has; taken from the files. */
  | { readonly kind: 'restore aisec_migrations'; readonly names: readonly string[] }
  /** Rows that another program wrote to pgmigrations move to a table of their own. */
  | { readonly kind: 'move foreign rows'; readonly names: readonly string[] }
  /** The file as it is now counts as the one that was applied. */
  | { readonly kind: 'accept edit'; readonly name: string; readonly before: string; readonly after: string }
  /** The file has another name now. */
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }
  /** The migration is taken out of the history; what it made stays. */
  | { readonly kind: 'forget'; readonly name: string };

/** Where rows of another program go; node-pg-migrate takes it as --migrations-table. */
export const FOREIGN_TABLE = 'pgmigrations_of_other';

/** What heals tables that disagree: nothing of it needs a decision but that of the rows of another program. */
export function healingActions(
  { engine, own }: HistoryTables,
  files: readonly MigrationFile[],
): readonly RepairAction[] {
  const known = new Set(files.map(({ name }) => name));
  const [engineNames, ownNames] = [new Set(engine ?? []), new Set((own ?? []).map(({ name }) => name))];
  const lost = (own ?? []).filter(({ name, state }) => state === 'applied' && !engineNames.has(name));
  const unknown = [...engineNames].filter((name) => !ownNames.has(name));
  const ours = unknown.filter((name) => known.has(name));
  const foreign = unknown.filter((name) => !known.has(name));
  return [
    ...(foreign.length === 0 ? [] : [{ kind: 'move foreign rows', names: foreign } as const]),
    ...(lost.length === 0 ? [] : [{ kind: 'restore pgmigrations', names: lost.map(({ name }) => name) } as const]),
    ...(ours.length === 0 ? [] : [{ kind: 'restore aisec_migrations', names: ours } as const]),
  ];
}

/** Accepts what differs between one recorded migration and its file. @throws AisecError MIGRATION_UNKNOWN. */
export function acceptingAction(
  name: string,
  { own }: HistoryTables,
  files: readonly MigrationFile[],
): RepairAction | undefined {
  const row = (own ?? []).find((found) => found.name === name);
  if (row === undefined)
    throw new AisecError('MIGRATION_UNKNOWN', `migration "${name}" is not recorded`, {
      hint: 'See: aisec migrate status',
    });
  const file = files.find((found) => found.name === name);
  if (file !== undefined) {
    if (file.checksum === row.checksum) return undefined;
    return { kind: 'accept edit', name, before: row.checksum, after: file.checksum };
  }
  const recorded = new Set((own ?? []).map((found) => found.name));
  const twin = files.find((found) => found.checksum === row.checksum && !recorded.has(found.name));
  return twin === undefined ? { kind: 'forget', name } : { kind: 'rename', name, to: twin.name };
}
