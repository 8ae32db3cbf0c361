import { serverMajor } from '../../../adapters/postgres/server-major.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { countText, listed } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import type { NamedTable } from '../catalog/left-out.js';
import type { StandbyFacts } from '../catalog/standby.js';
import { standbyLagMs } from './standby-lag.js';
import { quotedTable, quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';

export interface ServerFacts {
  readonly roleName: string;
  /** `17.12`. */
  readonly serverVersion: string;
  readonly serverMajor: number;
  readonly hasVectors: boolean;
  readonly sizeBytes: number;
  /** Indexes are not dumped. */
  readonly indexSizeBytes: number;
  /** Of long values and large objects, which a dump hardly makes smaller: vectors, and what is compressed already. */
  readonly denseBytes: number;
  /** At most, with its long values: what the statistics do not know yet may be all of one table. */
  readonly largestTableBytes: number;
  /** All that hold rows, partitions among them, in the order of their names. */
  readonly tables: readonly NamedTable[];
  /** By OID, with those of TOAST, as VACUUM or ANALYZE last counted them. */
  readonly pagesOf: ReadonlyMap<string, number>;
  /** Null on a primary. Its unlogged tables are not among the others: no role can read them there. */
  readonly standby: StandbyFacts | null;
}

interface ServerRow {
  readonly role_name: string;
  readonly server_version: string;
  readonly has_vectors: boolean;
  readonly size_bytes: string;
  readonly index_size_bytes: string;
  readonly table_size_bytes: string;
  readonly dense_bytes: string;
  readonly largest_table_bytes: string;
}

interface UnreadableRow {
  readonly kind: string;
  readonly count: number;
  readonly names: readonly string[];
}

interface TableRow extends NamedTable {
  readonly oid: string;
  readonly pages: number;
  readonly is_filtered: boolean;
  readonly is_readable: boolean;
  readonly is_unlogged: boolean;
}

const MOST_NAMED = 5;

/** What a dump would leave out silently, or stumble over half-way. */
function refuseUnreadable(roleName: string, tables: readonly TableRow[]): void {
  const role = quoteIdentifier(roleName);
  const filtered = tables.filter(({ is_filtered: isFiltered }) => isFiltered);
  if (filtered.length > 0)
    throw new AisecError(
      'PRIVILEGE_MISSING',
      `row-level security hides rows of ${filtered.length} tables from ${role}`,
      {
        detail: `A backup would leave them out: ${listed(filtered.map(quotedTable), MOST_NAMED)}.`,
        hint: `Back up as a role that policies do not apply to: alter role ${role} bypassrls;`,
      },
    );
  const unreadable = tables.filter(({ is_readable: isReadable }) => !isReadable);
  if (unreadable.length > 0)
    throw new AisecError('PRIVILEGE_MISSING', `role ${role} may not read ${unreadable.length} tables`, {
      detail: `These are ${listed(unreadable.map(quotedTable), MOST_NAMED)}.`,
      hint: `Let it read everything: grant pg_read_all_data to ${role};`,
    });
}

/** What pg_dump reads beside tables. */
async function refuseOtherUnreadable(session: Session, roleName: string): Promise<void> {
  const { rows } = await session.query<UnreadableRow>(sqlFile('backup/unreadable'));
  const relations = rows.filter(({ kind }) => kind !== 'large object');
  const refused = relations.length > 0 ? relations : rows;
  if (refused.length === 0) return;
  const role = quoteIdentifier(roleName);
  const grantEach = `declare each oid; begin for each in select oid from pg_largeobject_metadata loop execute pg_catalog.format('grant select on large object %s to %I', each, ${quoteLiteral(roleName)}); end loop; end`;
  throw new AisecError(
    'PRIVILEGE_MISSING',
    `role ${role} may not read ${refused.map(({ kind, count }) => countText(count, kind)).join(', ')}`,
    {
      detail: `These are ${refused.flatMap(({ names }) => names).join(', ')}${refused.some(({ count, names }) => count > names.length) ? ' and more' : ''}.`,
      hint:
        relations.length > 0
          ? `Let it read everything: grant pg_read_all_data to ${role};`
          : `Let it read each of them: do ${quoteLiteral(grantEach)};`,
    },
  );
}

function named({ schema, table }: TableRow): NamedTable {
  return { schema, table };
}

function largestAtMost({ size_bytes, index_size_bytes, table_size_bytes, largest_table_bytes }: ServerRow): number {
  const unknown = Number(size_bytes) - Number(index_size_bytes) - Number(table_size_bytes);
  return Number(largest_table_bytes) + Math.max(0, unknown);
}

/**
 * Reads what a backup has to know of its server, in the transaction that is open or outside of one.
 *
 * @throws AisecError PRIVILEGE_MISSING with the statement that fixes it.
 */
export async function readServerFacts(session: Session): Promise<ServerFacts> {
  const [server] = (await session.query<ServerRow>(sqlFile('backup/server'))).rows;
  if (server === undefined) throw new Error('the server did not say who it is');
  const { rows: tables } = await session.query<TableRow>(sqlFile('backup/tables'));
  refuseUnreadable(server.role_name, tables);
  await refuseOtherUnreadable(session, server.role_name);
  const lagMs = await standbyLagMs(session);
  const isEmptyHere = (each: TableRow): boolean => lagMs !== undefined && each.is_unlogged;
  return {
    roleName: server.role_name,
    serverVersion: server.server_version,
    serverMajor: serverMajor(session),
    hasVectors: server.has_vectors,
    sizeBytes: Number(server.size_bytes),
    indexSizeBytes: Number(server.index_size_bytes),
    denseBytes: Number(server.dense_bytes),
    largestTableBytes: largestAtMost(server),
    tables: tables.filter((each) => !isEmptyHere(each)).map(named),
    pagesOf: new Map(tables.map(({ oid, pages }) => [oid, pages])),
    standby: lagMs === undefined ? null : { lagMs, unloggedTables: tables.filter(isEmptyHere).map(named) },
  };
}
