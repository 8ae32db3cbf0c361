import type { Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';
import type { PartitionFacts, Surroundings } from '../facts.js';
import { inShortTransaction, type RetryOptions } from '../../lock-retries.js';

/** For SHARE UPDATE EXCLUSIVE, which stops no reader and no writer: VALIDATE takes it. */
const VALIDATE_WAIT = '5s';

interface ForeignKeyRow {
  readonly name: string;
  readonly definition: string;
  readonly own_name: string | null;
  readonly is_valid: boolean;
}

function freeName(name: string, taken: readonly string[]): string {
  let free = name;
  for (let number = 1; taken.includes(free); number += 1) free = `${name}${number}`;
  return free;
}

/**
 * Gives a month of the archive the foreign keys of messages, so that attaching it there checks nothing under a lock. The
 * check of the rows stops no reader and no writer. Interrupted at any moment and run again, it continues.
 *
 * @throws AisecError LOCK_TIMEOUT; DATABASE_FAILED with SQLSTATE 23503 when a message refers to what does not exist.
 */
export async function addForeignKeys(
  session: Session,
  { relation, constraintNames }: PartitionFacts,
  { referenceTables }: Surroundings,
  retries: RetryOptions,
): Promise<void> {
  const { rows } = await session.query<ForeignKeyRow>(sqlFile('archive/foreign-keys'), [relation]);
  const tables = [...referenceTables, relation];
  const list = tables.map((table) => quoteLiteral(table).trim()).join(', ');
  for (const { name, definition, own_name: ownName, is_valid: isValid } of rows) {
    if (isValid) continue;
    const own = ownName ?? quoteIdentifier(freeName(name, constraintNames));
    if (ownName === null)
      await inShortTransaction(session, retries, [
        `select aisec_lock_tables(array[${list}]::regclass[], array_fill('share row exclusive'::text, array[${tables.length}]))`,
        `alter table ${relation} add constraint ${own} ${definition} not valid`,
      ]);
    await inShortTransaction(session, retries, [
      `set local lock_timeout = '${VALIDATE_WAIT}'`,
      `alter table ${relation} validate constraint ${own}`,
    ]);
  }
}
