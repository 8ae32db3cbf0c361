import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { tableIn, tableKey, type Reference, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../../base/identifier.js';

interface Loaded {
  /** In the order in which they are loaded. */
  readonly keys: readonly TableKey[];
  readonly references: readonly Reference[];
  readonly schema: string;
}

interface TriggerRow {
  readonly table: string;
  readonly trigger: string;
  readonly is_always: boolean;
}

interface KeyRow {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
}

/** Foreign keys whose rows are loaded before those that they refer to: to the table itself, or in a circle. */
async function earlyKeys(target: Session, { keys, references }: Loaded): Promise<readonly string[]> {
  const { rows } = await target.query<KeyRow>(sqlFile('subset/immediate-keys'), [keys]);
  const isEarly = (row: KeyRow): boolean =>
    references.some(
      (each) =>
        each.name === row.name &&
        tableKey(each) === tableKey(row) &&
        keys.indexOf(tableKey(each.refersTo)) >= keys.indexOf(tableKey(row)),
    );
  return rows
    .filter(isEarly)
    .map((row) => `alter table ${tableKey(row)} alter constraint ${quoteIdentifier(row.name)}`);
}

/**
 * Runs the callback with the triggers of rows switched off and the foreign keys of circles checked at its end, and
 * switches everything back: within one transaction, so that no other session ever sees it.
 */
export async function withLoadSettings(target: Session, loaded: Loaded, load: () => Promise<void>): Promise<void> {
  const { keys, schema } = loaded;
  // Messages have a setting for this, which their partitions obey as well.
  const messages = ['messages', 'messages_archive'].map((table) => tableIn(schema, table));
  const others = keys.filter((key) => !messages.includes(key));
  const { rows: triggers } = await target.query<TriggerRow>(sqlFile('subset/triggers'), [others]);
  const early = await earlyKeys(target, loaded);
  for (const { table, trigger } of triggers) await target.query(`alter table ${table} disable trigger ${trigger}`);
  for (const key of early) await target.query(`${key} deferrable initially deferred`);
  await target.query(`set constraints all deferred; set local aisec.moving_messages = 'on'`);
  await load();
  await target.query(`set constraints all immediate; set local aisec.moving_messages = 'off'`);
  for (const key of early) await target.query(`${key} not deferrable`);
  for (const { table, trigger, is_always: isAlways } of triggers)
    await target.query(`alter table ${table} enable ${isAlways ? 'always ' : ''}trigger ${trigger}`);
}
