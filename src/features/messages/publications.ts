import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../base/identifier.js';

/** A publication that publishes messages, messages_archive or one of their partitions. Names are quoted. */
export interface Publication {
  readonly publication: string;
  readonly is_via_root: boolean;
  /** FOR ALL TABLES, or for the schema. */
  readonly covers_new_tables: boolean;
  readonly publishes_messages: boolean;
  readonly publishes_archive: boolean;
  /** Published by its own name. */
  readonly partition: string | null;
  readonly publishes_deletes: boolean;
  readonly publishes: string;
  readonly tables: string | null;
}

/** What a subscriber would lose, and the statement that prevents it. */
export interface PublicationProblem {
  readonly publication: string;
  readonly kind: 'partition' | 'root' | 'new-tables' | 'half';
  readonly message: string;
  readonly impact: string;
  readonly fix: string;
  /** What it makes impossible: `all` maintenance; `drain`: moving rows out of the default partition; `archive`: moves between both tables. */
  readonly refuses: 'all' | 'drain' | 'archive';
}

/** In one query that takes no lock and that every role may run. */
export async function readPublications(session: Session, schema: string): Promise<readonly Publication[]> {
  const { rows } = await session.query<Publication>(sqlFile('messages/publications'), [schema]);
  return rows;
}

function problemsOf(found: Publication, schema: string): readonly PublicationProblem[] {
  const { publication } = found;
  const table = (name: string): string => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  const problems: PublicationProblem[] = [];
  if (found.partition !== null)
    problems.push({
      publication,
      kind: 'partition',
      message: `publication ${publication} publishes the partition ${found.partition} under its own name`,
      impact: 'a subscriber would not receive the messages of a month that it does not know',
      fix: `alter publication ${publication} drop table ${found.partition};`,
      refuses: 'all',
    });
  else if (!found.is_via_root)
    problems.push({
      publication,
      kind: 'root',
      message: `publication ${publication} publishes the partitions of messages under their own names`,
      impact: 'a subscriber would not receive the messages of a month that it does not know',
      fix: `alter publication ${publication} set (publish_via_partition_root = true);`,
      refuses: 'all',
    });
  if (found.covers_new_tables)
    problems.push({
      publication,
      kind: 'new-tables',
      message: `publication ${publication} publishes every new table`,
      impact: 'emptying the default partition needs tables of its own, and a subscriber that lacks one stops',
      fix:
        `begin; drop publication ${publication}; create publication ${publication} for table ${found.tables ?? table('messages')} ` +
        `with (publish_via_partition_root = true, publish = '${found.publishes}'); commit;`,
      refuses: 'drain',
    });
  if (found.publishes_messages !== found.publishes_archive)
    problems.push({
      publication,
      kind: 'half',
      message: `publication ${publication} publishes only one of messages and messages_archive`,
      impact: 'a subscriber would lose the messages that move between the two',
      fix: `alter publication ${publication} add table ${table(found.publishes_messages ? 'messages_archive' : 'messages')};`,
      refuses: 'archive',
    });
  return problems;
}

/** Looks at nothing but its arguments. */
export function publicationProblems(
  publications: readonly Publication[],
  schema: string,
): readonly PublicationProblem[] {
  return publications.flatMap((publication) => problemsOf(publication, schema));
}
