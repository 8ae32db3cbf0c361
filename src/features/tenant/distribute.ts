import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { parseStatements } from '../../adapters/sql-parser/statements.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import { LOGIN_FOR_NODES, nodeOf, readCitus, refuseSchema, refuseWithoutCitus } from './citus.js';
import { moveTables, type MovedTenant, type MoveOptions } from './move.js';
import { refusePolicies, refuseTables } from './obstacles.js';
import { countRows, lockTables, readTables, refuseDifference, type MovedTable, type TableRow } from './rows.js';

interface TriggerRow {
  readonly table_name: string;
  readonly trigger_name: string;
  readonly state: 'O' | 'A' | 'R' | 'D';
  readonly is_notification: boolean;
}

interface ReferenceRow {
  readonly table_name: string;
  readonly constraint_name: string;
  readonly definition: string;
  readonly partitions: readonly string[];
}

const STATE_WORDS = { O: 'enable trigger', A: 'enable always trigger', R: 'enable replica trigger' } as const;

/** Citus forwards the whole message in which a statement came, so each is sent alone. */
async function adaptSchema(session: Session): Promise<void> {
  const parsed = await parseStatements(sqlFile('tenant/adapt'));
  if ('error' in parsed) throw new Error(`sql/tenant/adapt.sql: ${parsed.error.message}`);
  for (const { text } of parsed.statements) await session.query(text);
}

/** They would run for every row that Citus copies, on a node that has not all tables yet. */
async function silenceTriggers(
  session: Session,
  schema: string,
): Promise<{ readonly table: string; readonly sql: string }[]> {
  const { rows } = await session.query<TriggerRow>(sqlFile('tenant/triggers'), [schema]);
  const again: { readonly table: string; readonly sql: string }[] = [];
  for (const { table_name, trigger_name, state, is_notification } of rows) {
    const table = `${quoteIdentifier(schema)}.${quoteIdentifier(table_name)}`;
    const trigger = quoteIdentifier(trigger_name);
    // A node notifies those who listen there, which no service does, and a transaction that notifies cannot be prepared.
    if (is_notification) await session.query(`drop trigger ${trigger} on ${table}`);
    else if (state !== 'D') again.push({ table, sql: `alter table ${table} ${STATE_WORDS[state]} ${trigger}` });
  }
  for (const table of new Set(again.map((each) => each.table)))
    await session.query(`alter table ${table} disable trigger user`);
  return again;
}

/** What the tables of this node held is read no more. Not where triggers fire: they would delete on the worker what goes here. */
async function dropLocalRows(session: Session, schema: string, tables: readonly TableRow[]): Promise<void> {
  for (const { table_name: table } of tables)
    await session.query('select pg_catalog.truncate_local_data_after_distributing_table($1::regclass)', [
      `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`,
    ]);
}

/** So that each partition has one of its own: a shard gives one that is inherited a name that cannot be dropped alone. */
async function ownReferences(session: Session, schema: string): Promise<void> {
  const { rows } = await session.query<ReferenceRow>(sqlFile('tenant/references'), [schema]);
  for (const { table_name: table, constraint_name: name, definition, partitions } of rows) {
    await session.query(`alter table ${table} drop constraint ${name}`);
    for (const each of [...partitions, table])
      await session.query(`alter table ${each} add constraint ${name} ${definition}`);
  }
}

/** Locks the tables and makes of them what Citus takes. */
async function prepare(session: Session, schema: string) {
  await session.query('set local client_min_messages = warning');
  const tables = await readTables(session, schema);
  refuseTables(schema, tables);
  await lockTables(session, schema, tables, 'access exclusive');
  const before = await countRows(session, schema, tables);
  await adaptSchema(session);
  refusePolicies(await readTables(session, schema));
  return { tables, before };
}

async function moveAll(session: Session, schema: string): Promise<readonly MovedTable[]> {
  const { tables, before } = await prepare(session, schema);
  const triggers = await silenceTriggers(session, schema);
  await session.query(
    `select pg_catalog.citus_schema_distribute(${quoteLiteral(quoteIdentifier(schema))}::regnamespace)`,
  );
  await dropLocalRows(session, schema, tables);
  await ownReferences(session, schema);
  for (const { sql } of triggers) await session.query(sql);
  await session.query(`comment on schema ${quoteIdentifier(schema)} is null`);
  refuseDifference(before, await countRows(session, schema, tables));
  return before;
}

/**
 * Makes a schema a distributed tenant of Citus, with its rows, in one transaction: what Citus refuses leaves it as it was.
 * Policies are replaced by such as Citus takes, and cache notifications are dropped.
 *
 * @throws AisecError CONFIG_INVALID, DATABASE_UNSUPPORTED for what Citus does not take, LOCK_TIMEOUT, MIGRATION_PENDING.
 */
export async function distributeTenant(
  session: Session,
  options: MoveOptions,
  reporting: Reporting,
): Promise<MovedTenant> {
  const { schema, isDryRun = false } = options;
  const citus = await readCitus(session, schema);
  refuseWithoutCitus(citus, session.info.label);
  refuseSchema(citus, schema);
  let tables: readonly MovedTable[] = [];
  if (!citus.is_distributed) {
    if (citus.role_logs_in === false)
      reporting.onWarning(
        `role authenticated may not log in, and Citus logs in as it on the workers: until then withUser fails there. Let an administrator run: ${LOGIN_FOR_NODES}`,
      );
    reporting.onProgress(isDryRun ? `trying the schema ${schema}` : `distributing the schema ${schema}`);
    tables = await moveTables(
      session,
      options,
      () => prepare(session, schema),
      () => moveAll(session, schema),
    );
  }
  const node = await nodeOf(session, schema);
  return { database: session.info.label, schema, isDryRun, isMoved: !citus.is_distributed, tables, node };
}

/** The same beside no other run of aisec in the schema. */
export async function distributeTenantAlone(
  session: Session,
  options: MoveOptions & { readonly waitMs: number },
  reporting: Reporting,
): Promise<MovedTenant> {
  const lock = { waitMs: options.waitMs, onProgress: reporting.onProgress };
  return withRunLock(session, lock, () => distributeTenant(session, options, reporting));
}
