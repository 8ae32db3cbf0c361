import { openEmbeddedDirectory } from '../../adapters/embedded/embedded.js';
import { serve } from '../../adapters/embedded/server/serve.js';
import { LOOPBACK } from '../../adapters/loopback/listen.js';
import type { OpenOptions } from '../../adapters/postgres/open-options.js';
import type { EmbeddedTarget } from '../../config/database-target.js';

export interface Served {
  /** For DATABASE_URL and psql. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly dataDirectory: string;
  /** As `show server_version_num` has it. */
  readonly serverVersion: number;
}

export interface StartOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** How long a statement waits for another connection's transaction; 0: no limit. */
  readonly lockTimeoutMs: number;
  readonly onReady: (served: Served) => void;
}

/** The role that owns everything in an embedded database. */
const USER = 'postgres';

/**
 * Serves the embedded database on this machine until the signal of `open` comes.
 *
 * @throws AisecError USAGE when the port is in use, EMBEDDED_LOCKED naming who holds the database, and as
 *   `openEmbeddedDirectory`.
 */
export async function startDatabase(
  target: EmbeddedTarget,
  open: OpenOptions,
  { port, lockTimeoutMs, onReady }: StartOptions,
): Promise<void> {
  const { engine, session } = await openEmbeddedDirectory(target, open);
  const { databaseName, serverVersion } = session.info;
  try {
    await serve(engine, {
      port,
      databaseName,
      lockTimeoutMs,
      signal: open.signal,
      onReady: (given) =>
        onReady({
          url: `postgres://${USER}@${LOOPBACK}:${given}/${databaseName}`,
          host: LOOPBACK,
          port: given,
          user: USER,
          database: databaseName,
          dataDirectory: target.dataDir,
          serverVersion,
        }),
    });
  } finally {
    await session.close();
  }
}
