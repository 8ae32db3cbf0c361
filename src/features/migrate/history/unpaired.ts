import { countText, listed } from '../../../base/count.js';
import { groupBy } from '../../../base/group-by.js';
import { labelOf } from '../files/source.js';
import type { MigrationStatus } from './compare.js';
import { historyTables } from './history-sql.js';

/** The table of the history that lacks the row of a migration; null where both have it, or where it is in neither. */
export function missingFrom({ source, state, entry }: MigrationStatus): string | null {
  if (state !== 'unpaired') return null;
  const { engine, own } = historyTables(source);
  return entry?.position === null ? engine : own;
}

/** What one of the two tables of a history lacks. */
export interface Disagreement {
  readonly table: string;
  /** `pgmigrations lacks 2 migrations that aisec_migrations records: 0001_users, 0002_messages`. */
  readonly message: string;
}

export function disagreements(statuses: readonly MigrationStatus[]): readonly Disagreement[] {
  const unpaired = statuses.filter(({ state }) => state === 'unpaired');
  return [...groupBy(unpaired, (status) => missingFrom(status) ?? '')].map(([table, group]) => {
    const { engine, own } = historyTables(group[0]?.source ?? '');
    const other = table === engine ? own : engine;
    const names = listed(group.map(labelOf));
    return { table, message: `${table} lacks ${countText(group.length, 'migration')} that ${other} records: ${names}` };
  });
}
