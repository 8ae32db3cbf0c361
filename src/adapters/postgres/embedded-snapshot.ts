import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

import { openEngine, startPGlite } from './embedded.js';
import { prepareConnection } from './pool.js';
import type { Session } from './session.js';

/** Makes a database in memory, has it prepared and returns its data folder as a tar archive (about 40 MB). */
export async function buildSnapshot(
  prepare: (session: Session) => Promise<void>,
  names: { readonly schema: string; readonly extensionSchema: string },
): Promise<Uint8Array> {
  const engine = await startPGlite(undefined);
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
    // Not compressed: unpacking would take longer than reading.
    return new Uint8Array(await (await engine.dumpDataDir('none')).arrayBuffer());
  } finally {
    await session.close();
  }
}

export interface RunningSnapshot {
  readonly engine: PGlite;
  /** Of one connection: PGlite has one session. */
  readonly createPool: () => Promise<pg.Pool>;
}

/** Starts a database in memory from a snapshot. Throws for one that is damaged. */
export async function startSnapshot(snapshot: Uint8Array<ArrayBuffer>): Promise<RunningSnapshot> {
  const engine = await startPGlite(undefined, new Blob([snapshot]));
  const { createPgConfig } = await import('@electric-sql/pglite/node-postgres');
  return {
    engine,
    createPool: () => {
      const config = Object.assign(createPgConfig(engine), {
        max: 1,
        idleTimeoutMillis: 0,
        // A query on the database inside of a transaction on it would wait for ever.
        connectionTimeoutMillis: 5000,
        onConnect: prepareConnection,
      });
      const pool = new pg.Pool(config);
      pool.on('error', () => undefined);
      return Promise.resolve(pool);
    },
  };
}
