import pg from 'pg';
import { afterAll, describe } from 'vitest';
import { databaseAddress } from './database-address.js';
import { needsPrivateServer } from './needs.js';
import { canStartPrivateCluster, startPrivateCluster, type PrivateCluster } from './private-cluster.js';
import { runWell } from './run-in-process.js';

export interface PrivateServer extends PrivateCluster {
  /** Makes a database, with all migrations applied if so wished, and returns its address. */
  createDatabase(name: string, options?: { readonly migrated?: boolean }): Promise<string>;
}

const servers = new Set<PrivateCluster>();

/**
 * Like `describe`, for what needs a PostgreSQL of its own: restarts, crashes, server settings. Skipped, and counted as
 * such, where none can be started; with CI set it runs and fails there.
 */
export function describeOnPrivateServer(title: string, tests: () => void, majors: readonly string[] = []): void {
  const isSkipped = !process.env['CI'] && !canStartPrivateCluster(majors);
  describe.skipIf(isSkipped)(`${title} ${needsPrivateServer}`, () => {
    afterAll(removePrivateServers);
    tests();
  });
}

/**
 * Starts a new, empty PostgreSQL on a port of its own, in two seconds; use it inside `describeOnPrivateServer`, which
 * removes it. `settings` are those of postgresql.conf; `fsync=off` is quicker and survives every crash but the machine's.
 */
export async function startPrivateServer(
  settings: Readonly<Record<string, string>> = {},
  major?: string,
): Promise<PrivateServer> {
  return serverOf(await startPrivateCluster(settings, { ...(major !== undefined && { major }) }));
}

/** A standby of a private server, streaming from it; what is written there is seen here a moment later. */
export async function startStandby(
  primary: PrivateServer,
  settings: Readonly<Record<string, string>> = {},
): Promise<PrivateServer> {
  return serverOf(await startPrivateCluster(settings, { primaryUrl: primary.url }));
}

function serverOf(cluster: PrivateCluster): PrivateServer {
  servers.add(cluster);
  return {
    ...cluster,
    async createDatabase(name, { migrated = false } = {}) {
      const client = new pg.Client({ connectionString: cluster.url, application_name: 'test support' });
      await client.connect();
      await client.query(`create database ${pg.escapeIdentifier(name)}`);
      await client.end();
      const url = databaseAddress(cluster.url, name);
      if (migrated) await runWell(['migrate', 'up'], { DATABASE_URL: url });
      return url;
    },
  };
}

async function removePrivateServers(): Promise<void> {
  const open = [...servers];
  servers.clear();
  await Promise.all(open.map((server) => server.remove()));
}
