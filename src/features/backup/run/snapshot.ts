import { blockedBy, endingHint } from '../../../adapters/postgres/locks/blocker.js';
import type { BackupManifest, BackupRows } from '../catalog/manifest.js';
import type { NamedTable } from '../catalog/left-out.js';
import { refuseLag } from '../catalog/standby.js';
import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import { Observer } from '../../../adapters/postgres/locks/observer.js';
import { withTransaction, type Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { formatDurationMs } from '../../../base/duration.js';
import { quotedTable, quoteIdentifier } from '../../../base/identifier.js';
import { readServerFacts, type ServerFacts } from './server-facts.js';

/** What the manifest says of the contents, all read in the snapshot that is dumped. */
export type SnapshotContents = Pick<BackupManifest, 'rows' | 'catalog' | 'migration' | 'extensions' | 'roles'>;

export interface Snapshot {
  /** For `pg_dump --snapshot`. */
  readonly id: string;
  readonly createdAt: Date;
  readonly facts: ServerFacts;
  /** Reads every row once. */
  readonly readContents: () => Promise<SnapshotContents>;
}

export interface SnapshotOptions {
  /** The schema of the platform. */
  readonly schema: string;
  /** 0: wait for ever. */
  readonly lockTimeoutMs: number;
  /** Of a standby; undefined: none. */
  readonly maxLagMs: number | undefined;
  readonly onProgress: (text: string) => void;
}

/** @throws AisecError LOCK_TIMEOUT for `blockers`, each a description of a session. */
export function lockFailure(lockTimeoutMs: number, blockers: readonly string[], cause: unknown): AisecError {
  return new AisecError(
    'LOCK_TIMEOUT',
    `a table was locked against readers for longer than ${formatDurationMs(lockTimeoutMs)}, so nothing was backed up`,
    {
      detail: blockedBy(blockers),
      hint: endingHint(blockers),
      cause,
    },
  );
}

/**
 * Before the snapshot is taken, so that none of them can be rewritten between the two: a rewriting ALTER TABLE is not
 * safe for older snapshots, which would see an empty table.
 * https://www.postgresql.org/docs/17/mvcc-caveats.html
 */
async function lockTables(session: Session, tables: readonly NamedTable[], options: SnapshotOptions): Promise<void> {
  if (tables.length === 0) return;
  const observer = new Observer(session, options.lockTimeoutMs, options.onProgress);
  const names = tables.map(quotedTable).join(', ');
  try {
    await observer.during(() => session.query(`lock table ${names} in access share mode`));
  } catch (error) {
    throw isAisecError(error, 'LOCK_TIMEOUT') ? lockFailure(options.lockTimeoutMs, observer.blockers, error) : error;
  } finally {
    await observer.close();
  }
}

/** Of each table alone: what inherits from it is a table of its own. */
async function countRows(session: Session, tables: readonly NamedTable[]): Promise<readonly BackupRows[]> {
  const counted: BackupRows[] = [];
  for (const table of tables) {
    const { rows } = await session.query<{ rows: string }>(
      `select pg_catalog.count(*) as rows from only ${quotedTable(table)}`,
    );
    counted.push({ ...table, rows: Number(rows[0]?.rows) });
  }
  return counted;
}

async function referredRoles(session: Session): Promise<readonly string[]> {
  const { rows } = await session.query<{ role: string }>(sqlFile('backup/referred-roles'));
  return rows.map(({ role }) => role);
}

async function newestMigration(session: Session, schema: string): Promise<string | null> {
  const history = `${quoteIdentifier(schema)}.pgmigrations`;
  const found = await session.query<{ is_there: boolean }>(
    'select pg_catalog.to_regclass($1) is not null as is_there',
    [history],
  );
  if (found.rows[0]?.is_there !== true) return null;
  const { rows } = await session.query<{ name: string }>(`select name from ${history} order by id desc limit 1`);
  return rows[0]?.name ?? null;
}

/** Reads every row once. */
export async function readContents(
  session: Session,
  schema: string,
  tables: readonly NamedTable[],
): Promise<Omit<SnapshotContents, 'roles'>> {
  const snapshot = await readCatalog(session, { schema });
  return {
    // Every database has PL/pgSQL.
    extensions: snapshot.extensions.filter(({ name }) => name !== 'plpgsql'),
    migration: await newestMigration(session, schema),
    catalog: { schema, snapshot },
    rows: await countRows(session, tables),
  };
}

/**
 * Runs the callback in a read-only transaction whose snapshot pg_dump can take over, with every table locked against
 * changes of its definition. Waiting for those locks comes first, before any file is made.
 *
 * @throws AisecError LOCK_TIMEOUT naming who holds a lock, PRIVILEGE_MISSING.
 */
export async function withSnapshot<Result>(
  session: Session,
  options: SnapshotOptions,
  use: (snapshot: Snapshot) => Promise<Result>,
): Promise<Result> {
  const { tables } = await readServerFacts(session);
  return withTransaction(session, async () => {
    // SET takes no snapshot. row_security off: what a policy would hide is an error instead of a smaller count.
    await session.query(
      `set transaction isolation level repeatable read, read only;
       set local lock_timeout = ${options.lockTimeoutMs};
       set local idle_in_transaction_session_timeout = 0;
       set local statement_timeout = 0;
       set local row_security = off`,
    );
    await lockTables(session, tables, options);
    const facts = await readServerFacts(session);
    refuseLag(facts.standby, options.maxLagMs);
    const { rows } = await session.query<{ id: string }>('select pg_catalog.pg_export_snapshot() as id');
    const [exported] = rows;
    if (exported === undefined) throw new Error('the server exported no snapshot');
    return use({
      id: exported.id,
      createdAt: new Date(),
      facts,
      readContents: async () => ({
        ...(await readContents(session, options.schema, facts.tables)),
        roles: await referredRoles(session),
      }),
    });
  });
}
