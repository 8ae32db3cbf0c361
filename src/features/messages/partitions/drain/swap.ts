import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { AisecError } from '../../../../base/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';
import { addMonths, monthStart } from '../../../../base/month.js';
import { qualifiedName } from '../../partition.js';
import type { Copy, DrainSet } from './copies.js';
import { differingIds, truncatedMeanwhile } from './differences.js';
import { DRAINED_COMMENT } from './drained.js';
import { mirrorIdentity } from './mirror.js';
import { differencesTable, MIRROR, mirrorFunction, TRUNCATED, truncationFunction } from './objects.js';
import { readReferences } from './references.js';

/** More notes than that are settled before the locks are taken. */
const IDS_COMPARED_UNDER_LOCKS = 200;

/** Notes came meanwhile that have to be settled first. */
export class NotSettled extends Error {}

/** What the swap needs to know of the catalog, read before the locks. */
interface SwapFacts {
  /** Name of the drained table. */
  readonly drained: string;
  /** Of each index of the default partition: its name, the one it gets, and that of the rest's index which takes its name. */
  readonly index_names: readonly { readonly name: string; readonly drained: string; readonly copy: string | null }[];
  readonly comment: string | null;
}

const arrayOf = (tables: readonly string[]): string => `array[${tables.map(quoteLiteral).join(', ')}]::regclass[]`;

async function refuseChanges(session: Session, set: DrainSet, identity: string): Promise<void> {
  if ((await mirrorIdentity(session, set)) !== identity)
    throw new AisecError('DATABASE_FAILED', 'the triggers of the drain were altered by another session', {
      detail: 'The copies of the default partition cannot be trusted, so they are dropped. No changes were made.',
      hint: 'Run it again, and let no other session disable triggers on the default partition meanwhile.',
    });
  const differences = differencesTable(set.schema);
  const { rows } = await session.query<{ id: string | null }>(
    `select distinct id from ${differences} limit ${IDS_COMPARED_UNDER_LOCKS + 1}`,
  );
  if (rows.some(({ id }) => id === null)) throw truncatedMeanwhile();
  if (rows.length === 0) return;
  if (rows.length > IDS_COMPARED_UNDER_LOCKS) throw new NotSettled();
  await session.query('set local enable_seqscan to off');
  const ids = rows.flatMap(({ id }) => (id === null ? [] : [`${quoteLiteral(id)}::uuid`]));
  const { rows: differing } = await session.query(differingIds(set, `id in (${ids.join(', ')})`));
  if (differing.length > 0) throw new NotSettled();
}

function renameIndex(schema: string, from: string, to: string): string {
  return `alter index ${qualifiedName({ schema, name: from })} rename to ${quoteIdentifier(to)}`;
}

function attachMonth({ month, table, finalName, schema }: Copy, messages: string): string {
  if (month === null) return '';
  const name = qualifiedName({ schema, name: finalName });
  return `
    alter table ${table} rename to ${quoteIdentifier(finalName)};
    select aisec_watch_messages(${quoteLiteral(name)});
    alter table ${messages} attach partition ${name}
      for values from (${quoteLiteral(monthStart(month))}) to (${quoteLiteral(monthStart(addMonths(month, 1)))})`;
}

function detachSource({ schema, source }: DrainSet, facts: SwapFacts, references: readonly string[]): string {
  const table = qualifiedName(source);
  const drained = qualifiedName({ schema: source.schema, name: facts.drained });
  return `
    drop trigger ${MIRROR} on ${table};
    drop trigger ${TRUNCATED} on ${table};
    drop trigger if exists aisec_unregister_message_keys on ${table};
    drop trigger if exists aisec_unregister_truncated_message_keys on ${table};
    alter table ${qualifiedName({ schema, name: 'messages' })} detach partition ${table};
    ${references.length === 0 ? '' : `alter table ${table} ${references.map((name) => `drop constraint ${name}`).join(', ')};`}
    alter table ${table} rename to ${quoteIdentifier(facts.drained)};
    ${facts.index_names.map(({ name, drained: next }) => renameIndex(source.schema, name, next)).join(';\n')};
    comment on table ${drained} is ${quoteLiteral(DRAINED_COMMENT)};
    select aisec_revoke_all(${quoteLiteral(drained)})`;
}

function attachRest(
  { schema, source, copies }: DrainSet,
  { comment, index_names: indexes }: SwapFacts,
  bounds: readonly string[],
): string {
  const rest = copies.find(({ month }) => month === null);
  const table = qualifiedName(source);
  return `
    alter table ${rest?.table ?? ''} rename to ${quoteIdentifier(source.name)};
    ${indexes.flatMap(({ copy, name }) => (copy === null ? [] : [renameIndex(source.schema, copy, name)])).join(';\n')};
    select aisec_watch_messages(${quoteLiteral(table)});
    alter table ${qualifiedName({ schema, name: 'messages' })} attach partition ${table} default;
    ${bounds.length === 0 ? '' : `alter table ${table} ${bounds.map((name) => `drop constraint ${name}`).join(', ')};`}
    comment on table ${table} is ${comment === null ? 'null' : quoteLiteral(comment)}`;
}

/**
 * Puts the copies in the place of the default partition: changes of the catalog only, under locks that are taken within a
 * tenth of a second or given up. The old default partition stays, under another name. Returns that name.
 *
 * @throws AisecError LOCK_TIMEOUT, DATABASE_FAILED; NotSettled when rows have to be copied again before.
 */
export async function swapCopies(
  session: Session,
  set: DrainSet,
  { identity, bounds }: { readonly identity: string; readonly bounds: readonly string[] },
): Promise<string> {
  const { schema, source, copies } = set;
  const messages = qualifiedName({ schema, name: 'messages' });
  const tables = copies.map(({ table }) => table);
  const references = (await readReferences(session)).map(({ name }) => name);
  return withTransaction(session, async () => {
    await session.query('set transaction isolation level read committed; select aisec_begin_message_maintenance()');
    const { rows } = await session.query<SwapFacts>(sqlFile('partitions/swap-facts'), [
      qualifiedName(source),
      tables.at(-1),
    ]);
    const [facts] = rows;
    if (facts === undefined) throw new NotSettled();
    const months = copies.filter(({ month }) => month !== null);
    const statements = [
      detachSource(set, facts, references),
      ...months.map((copy) => attachMonth(copy, messages)),
      attachRest(set, facts, bounds),
      `drop function ${mirrorFunction(schema)}, ${truncationFunction(schema)}`,
      `drop table ${differencesTable(schema)}`,
    ];
    await session.query(
      `select aisec_lock_maintenance(array[${quoteLiteral(messages)}]::regclass[] || aisec_message_reference_tables() || ${arrayOf([qualifiedName(source), ...tables])})`,
    );
    await session.query(
      `select aisec_lock_tables(locked.relations, array_fill('access exclusive'::text, array[cardinality(locked.relations)]))
       from (
         select aisec_message_reference_tables() || ${arrayOf([messages, qualifiedName(source), ...tables])} as relations
       ) as locked`,
    );
    await refuseChanges(session, set, identity);
    await session.query(statements.join(';\n'));
    return facts.drained;
  });
}
