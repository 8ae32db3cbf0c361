import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

import { openEngine, startNew, startPGlite } from './embedded.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { notesOf } from '../postgres/pool/connection-notes.js';
import { connectionSetUp } from '../postgres/pool/pool.js';
import type { Session } from '../postgres/session.js';

/** Log segments are not kept for later. */
const SMALL_LOG = { settings: ['wal_recycle=off', 'min_wal_size=2MB'] };

/** Makes a database in memory, has it prepared and returns its data directory as a tar archive (15 MB). */
export async function buildSnapshot(
  prepare: (session: Session) => Promise<void>,
  names: { readonly schema: string; readonly extensionSchema: string },
): Promise<Buffer<ArrayBuffer>> {
  const engine = await startNew(undefined, SMALL_LOG);
  const session = await openEngine(
    engine,
    'test snapshot',
    {
      applicationName: 'aisec testing',
      ...names,
      lockTimeoutMs: 0,
      statementTimeoutMs: 0,
      idleTimeoutMs: 0,
      signal: new AbortController().signal,
    },
    () => undefined,
  );
  try {
    await prepare(session);
    await engine.exec('checkpoint');
    // Not compressed: unpacking would take longer than reading.
    return Buffer.from(await (await engine.dumpDataDir('none')).arrayBuffer());
  } finally {
    await session.close();
  }
}

export interface RunningSnapshot {
  readonly engine: PGlite;
  /** The role that the engine started as. */
  readonly superuser: string;
  /** The one connection there is, as a role: PGlite has one session. */
  readonly poolAs: (role: string) => pg.Pool;
  /** To be called after the role of the session was changed past the pools. */
  readonly forgetLogin: () => void;
}

/** Starts a database in memory from a snapshot. Throws for one that is damaged. */
export async function startSnapshot(snapshot: Buffer<ArrayBuffer>): Promise<RunningSnapshot> {
  const engine = await startPGlite(undefined, { snapshot, ...SMALL_LOG });
  const { createPgConfig } = await import('@electric-sql/pglite/node-postgres');
  const config = Object.assign(createPgConfig(engine), {
    max: 1,
    idleTimeoutMillis: 0,
    // A query on the database inside of a transaction on it would wait for ever.
    connectionTimeoutMillis: 5000,
    ...connectionSetUp(),
  });
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  let current: string | undefined;
  let users = 0;
  // Without a login, SET SESSION AUTHORIZATION DEFAULT has nothing to go back to.
  const { rows } = await engine.query<{ name: string }>('select session_user::text as name');
  const superuser = rows[0]?.name ?? '';
  const connectAs = async (role: string): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    notesOf(client).actsAs = quoteIdentifier(role);
    if (current === role) return client;
    try {
      await client.query(`set session authorization ${quoteIdentifier(role)}`);
      current = role;
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  };
  const end = async (): Promise<void> => {
    users -= 1;
    if (users === 0) await pool.end();
  };
  return {
    engine,
    superuser,
    poolAs: (role) => {
      users += 1;
      // Its figures are those of the one pool.
      return Object.assign(Object.create(pool) as pg.Pool, { connect: () => connectAs(role), end });
    },
    forgetLogin: () => {
      current = undefined;
    },
  };
}
