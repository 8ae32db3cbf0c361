import type { CatalogSnapshot } from '../../../adapters/catalog/catalog.js';
import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { changesOf, type Change } from '../drift/change.js';
import type { CompareOptions } from '../drift/drift.js';
import type { FixContext } from '../drift/fix/fix.js';
import { replayedCatalog } from '../replay/replay.js';

export interface TableFact {
  readonly name: string;
  readonly is_owned: boolean;
  readonly owner: string;
  readonly row_estimate: number;
  readonly bytes: number;
}

/** A foreign key to messages. Names are quoted. */
export interface Reference {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly is_to_id: boolean;
}

/** What is bound to the table messages and not to its name. Names are quoted. */
export interface Dependent {
  readonly kind: string;
  readonly object: string;
  readonly definition: string | null;
  readonly options: readonly string[];
}

/** All that a plan needs to know of the database. */
export interface AdoptFacts extends FixContext {
  readonly live: CatalogSnapshot;
  readonly changes: readonly Change[];
  readonly tables: ReadonlyMap<string, TableFact>;
  /** Empty once messages is partitioned. */
  readonly references: readonly Reference[];
  readonly dependents: readonly Dependent[];
  /** `plain`: one table with all rows; `partitioned`: ours; `missing`: there is none. */
  readonly messages: 'plain' | 'partitioned' | 'missing';
}

export function rowsOf({ tables }: AdoptFacts, table: string): number {
  return tables.get(table)?.row_estimate ?? 0;
}

/** A table that was there before, and not one that is made whole. */
export function isThere({ live }: AdoptFacts, table: string): boolean {
  return live.tables.some((found) => found.name === table) && table !== 'messages_default';
}

/** Reads catalogs only; the migrations are replayed in memory. */
export async function readAdoptFacts(session: Session, options: CompareOptions): Promise<AdoptFacts> {
  const { schema, extensionSchema, files } = options;
  const wanted = await replayedCatalog(files, options);
  const live = await readCatalog(session, { schema, withoutHistory: true });
  const { rows } = await session.query<TableFact>(sqlFile('adopt/tables'), [schema]);
  const found = live.tables.find(({ name }) => name === 'messages');
  const messages = found === undefined ? 'missing' : found.partitionKey === null ? 'plain' : 'partitioned';
  const relation = [`${quoteIdentifier(schema)}.messages`];
  const isPlain = messages === 'plain';
  return {
    schema,
    extensionSchema,
    live,
    wanted,
    changes: changesOf({ live, wanted, serverVersion: session.info.serverVersion }),
    tables: new Map(rows.map((row) => [row.name, row])),
    references: isPlain ? (await session.query<Reference>(sqlFile('adopt/references'), relation)).rows : [],
    dependents: isPlain ? (await session.query<Dependent>(sqlFile('adopt/dependents'), relation)).rows : [],
    messages,
  };
}
