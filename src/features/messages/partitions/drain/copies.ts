import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';
import { firstDay, type Month } from '../../../../base/month.js';
import { nameIn, qualifiedName, type Partition } from '../../partition.js';

/** The table that takes the rows of one month, or the rest, beside the default partition. */
export interface Copy {
  /** Null: the rest, which becomes the new default partition. */
  readonly month: Month | null;
  readonly schema: string;
  /** While it is filled. */
  readonly name: string;
  /** When it is a partition. */
  readonly finalName: string;
  /** `name`, quoted and with its schema. */
  readonly table: string;
}

/** What a drain works on. */
export interface DrainSet {
  readonly schema: string;
  /** The default partition. */
  readonly source: Partition;
  /** Quoted columns of messages, those that can be written. */
  readonly columns: readonly string[];
  /** The months, then the rest. */
  readonly copies: readonly Copy[];
  /** Statements that give the copies their indexes again. */
  readonly indexes: readonly string[];
}

/** The name of a default partition may leave no room for more. */
const REST_COPY = 'messages_default_drain';

function copyOf(schema: string, month: Month | null, finalName: string): Copy {
  const name = month === null ? REST_COPY : `${finalName}_drain`;
  return { month, schema, name, finalName, table: qualifiedName({ schema, name }) };
}

/** The copies of months and of the rest of a default partition. */
function copiesOf(schema: string, source: Partition, months: readonly Month[]): readonly Copy[] {
  return [
    ...months.map((month) => copyOf(schema, month, nameIn('messages', month))),
    copyOf(source.schema, null, source.name),
  ];
}

function createStatements({ month, schema, table, finalName, name }: Copy, root: string, source: Partition): string {
  const create =
    month === null
      ? `create table ${table} (like ${qualifiedName(source)} including all);
         select aisec_protect_message_partition(${root}, ${quoteLiteral(table)});`
      : `select aisec_create_message_month(${root}, ${quoteLiteral(firstDay(month))});
         alter table ${qualifiedName({ schema, name: finalName })} rename to ${quoteIdentifier(name)};`;
  // Until it is a partition, its rows are no messages: deleting one must not delete the key.
  return `${create}
    drop trigger aisec_unregister_message_keys on ${table};
    drop trigger aisec_unregister_truncated_message_keys on ${table};`;
}

interface IndexRow {
  readonly create_statement: string;
  readonly drop_statement: string;
}

/** Creates the copies, empty and without indexes, in one transaction that locks nothing that others use. */
export async function createCopies(
  session: Session,
  schema: string,
  source: Partition,
  months: readonly Month[],
): Promise<DrainSet> {
  const copies = copiesOf(schema, source, months);
  const root = quoteLiteral(qualifiedName({ schema, name: 'messages' }));
  return withTransaction(session, async () => {
    await session.query('set transaction isolation level read committed; select aisec_begin_message_maintenance()');
    for (const copy of copies) await session.query(createStatements(copy, root, source));
    const { rows: columns } = await session.query<{ column: string }>(sqlFile('partitions/message-columns'));
    const tables = copies.map(({ table }) => table);
    const { rows } = await session.query<IndexRow>(sqlFile('partitions/copy-indexes'), [tables]);
    // A table without indexes is filled three times as fast, and its indexes are built by sorting.
    await session.query(rows.map((row) => row.drop_statement).join(';\n'));
    return {
      schema,
      source,
      columns: columns.map(({ column }) => column),
      copies,
      indexes: rows.map((row) => row.create_statement),
    };
  });
}
