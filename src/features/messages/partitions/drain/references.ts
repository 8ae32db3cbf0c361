import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { quoteLiteral } from '../../../../base/identifier.js';
import type { Copy, DrainSet } from './copies.js';

/** Each foreign key takes a millisecond or two under a lock that stops writers of the table it points to. */
const COPIES_A_TRANSACTION = 6;

export interface Reference {
  readonly name: string;
  readonly definition: string;
}

/** The foreign keys of messages: name, quoted, and definition. */
export async function readReferences(session: Session): Promise<readonly Reference[]> {
  const { rows } = await session.query<Reference>(sqlFile('partitions/references'));
  return rows;
}

function addStatements({ table }: Copy, references: readonly Reference[]): string {
  const actions = references.map(({ name, definition }) => `add constraint ${name} ${definition} not valid`);
  return `alter table ${table} ${actions.join(', ')}`;
}

/**
 * Gives the copies the foreign keys of messages: unchecked at first, for a moment under a lock, then checked while no session
 * waits. An ATTACH takes them over as they are.
 */
export async function addReferences(
  session: Session,
  { copies }: DrainSet,
  retry: <Result>(run: () => Promise<Result>) => Promise<Result>,
): Promise<void> {
  const references = await readReferences(session);
  if (references.length === 0) return;
  for (let first = 0; first < copies.length; first += COPIES_A_TRANSACTION) {
    const group = copies.slice(first, first + COPIES_A_TRANSACTION);
    const tables = `array[${group.map(({ table }) => quoteLiteral(table)).join(', ')}]::regclass[]`;
    await retry(() =>
      withTransaction(session, async () => {
        await session.query('set transaction isolation level read committed; select aisec_begin_message_maintenance()');
        await session.query(
          `select aisec_lock_maintenance(${tables});
           select aisec_lock_tables(locked.relations, array_fill('share row exclusive'::text, array[cardinality(locked.relations)]))
           from (select aisec_message_reference_tables() || ${tables} as relations) as locked;
           ${group.map((copy) => addStatements(copy, references)).join(';\n')}`,
        );
      }),
    );
  }
  for (const { table } of copies)
    for (const { name } of references)
      await retry(() => session.query(`alter table ${table} validate constraint ${name}`));
}
