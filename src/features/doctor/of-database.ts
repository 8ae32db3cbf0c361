import type { Area, Check } from './check.js';

/** What these look at is the server's, or the database's as a whole, whichever schema was named. */
const AREAS: readonly Area[] = ['live', 'wraparound', 'replication', 'settings', 'versions', 'backups', 'redis'];
const CHECKS: readonly string[] = [
  'app-role-superuser',
  'app-role-bypasses-rls',
  'app-role-inherits',
  'app-role-logs-in',
  'large-objects',
  'collation-version',
  'citus-new-schemas',
  'citus-role-login',
  'citus-node',
  'citus-node-state',
];
/** Whether the lock table is large enough depends on the months of the schema. */
const OF_SCHEMA: readonly string[] = ['lock-table'];

/** Whether a check finds the same in every schema of a database, so that of several schemas one is enough. */
export function isOfDatabase({ id, area }: Pick<Check, 'id' | 'area'>): boolean {
  return !OF_SCHEMA.includes(id) && (AREAS.includes(area) || CHECKS.includes(id));
}
