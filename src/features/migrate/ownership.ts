import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { foundInUp } from './files/migration-file.js';
import { sourcesOf } from './files/source.js';
import { historyTables } from './history/history-sql.js';
import type { MigrateSettings } from './prepare.js';

/** An object that a migration makes, and that the role which migrates cannot change. */
export interface ForeignObject {
  /** As ALTER takes it: `table`, `function`. */
  readonly kind: string;
  /** As SQL takes it, with its schema and the types of its arguments. */
  readonly identity: string;
  /** As SQL takes it. */
  readonly owner: string;
  /** The owner of the history, which has run the migrations, as SQL takes it. */
  readonly wanted: string;
}

/** The names of what a section creates, as far as they are written out. */
const CREATED =
  /\bcreate\s+(?:or\s+replace\s+)?(?:unlogged\s+)?(?:table|view|materialized\s+view|function|procedure|type|domain)\s+(?:if\s+not\s+exists\s+)?(?:"?\w+"?\s*\.\s*)?"?(\w+)"?/gi;

/**
 * What the migrations of each source have made, or make with their functions, and does not belong to the role that its
 * history belongs to, nor to one that this is a member of. Reads only.
 */
export async function foreignObjects(
  session: Session,
  { files, schema }: Pick<MigrateSettings, 'files' | 'schema'>,
): Promise<readonly ForeignObject[]> {
  const found: ForeignObject[] = [];
  for (const source of sourcesOf(files)) {
    const { engine, own } = historyTables(source);
    const names = foundInUp(
      files.filter((file) => file.source === source),
      CREATED,
    ).map((name) => name.toLowerCase());
    const { rows } = await session.query<ForeignObject>(sqlFile('migrate/other-owners'), [
      schema,
      [...names, own],
      `${quoteIdentifier(schema)}.${quoteIdentifier(engine)}`,
    ]);
    found.push(...rows);
  }
  return found;
}
