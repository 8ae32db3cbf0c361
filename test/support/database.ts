import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { describe, inject } from 'vitest';
import { databaseAddress } from './database-address.js';
import { dropDatabase, newDatabaseName } from './database-names.js';
import { findLeaks } from './leaks.js';
import { needsRedis, needsServer } from './needs.js';
import type {} from './provided.js';
import { migratedTemplate } from './template-database.js';

export interface ServerDatabase {
  /** Address of the database, as the superuser of the test server. */
  readonly url: string;
  readonly name: string;
  /** One session of the superuser in this database. */
  readonly admin: { query(sql: string, params?: readonly unknown[]): Promise<pg.QueryResult> };
  /** Drops it. Throws when aisec left a session behind in it. Safe to call twice; the end of the file calls it too. */
  drop(): Promise<void>;
}

/** Like `describe`, for what the embedded database cannot show: locks, logins, pg_dump, two sessions at once. */
export function describeOnServer(title: string, tests: () => void): void {
  describe.skipIf(inject('databaseUrl') === null)(`${title} ${needsServer}`, tests);
}

/** Like `describe`, for tests of the cache. */
export function describeOnRedis(title: string, tests: () => void): void {
  describe.skipIf(inject('redisUrl') === null)(`${title} ${needsRedis}`, tests);
}

const openDatabases = new Set<ServerDatabase>();
const directories = new Set<string>();
let serverPool: pg.Pool | undefined;

/**
 * Makes a database of its own on the test server: empty, or with all migrations applied (`migrated: true`, a clone
 * of the run's template), or empty with a collation of ICU, which sorts signs otherwise than C. Throws where there is no server; use it inside `describeOnServer`.
 */
export async function createServerDatabase(
  options: { readonly migrated?: boolean } | { readonly icuLocale: string } = {},
): Promise<ServerDatabase> {
  const serverUrl = inject('databaseUrl');
  if (serverUrl === null) throw new Error('there is no PostgreSQL server in this run; use describeOnServer');
  serverPool ??= openPool(serverUrl, 'test support');
  const server = serverPool;

  const name = newDatabaseName(inject('runId'));
  const isMigrated = 'migrated' in options && options.migrated;
  const template = isMigrated ? await migratedTemplate(serverUrl, inject('runId')) : 'template0';
  const locale = 'icuLocale' in options ? `locale_provider icu icu_locale ${pg.escapeLiteral(options.icuLocale)}` : '';
  // Copied file by file: written through the log, as by default, it costs the server four times as much.
  await server.query(
    `create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(template)} strategy file_copy ${locale}`,
  );

  const url = databaseAddress(serverUrl, name);
  const admin = openPool(url, 'test admin');
  const database: ServerDatabase = {
    url,
    name,
    admin: { query: (sql, params = []) => admin.query(sql, [...params]) },
    async drop() {
      if (!openDatabases.delete(database)) return;
      const leaks = await findLeaks(server, name);
      await admin.end();
      await dropDatabase(server, name);
      if (leaks.length > 0) throw new Error(`aisec left sessions open in ${name}:\n${leaks.join('\n')}`);
    },
  };
  openDatabases.add(database);
  return database;
}

/** Makes an empty directory for an embedded database; it is removed at the end of the file. */
export async function createEmbeddedDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'aisec-test-'));
  directories.add(directory);
  return directory;
}

/** Drops what the tests of a file made, all of it even when some were leaking, then throws for those. */
export async function cleanUpDatabases(): Promise<void> {
  const drops = await Promise.allSettled([...openDatabases].map((database) => database.drop()));
  await serverPool?.end();
  serverPool = undefined;
  await Promise.all([...directories].map((directory) => rm(directory, { recursive: true, force: true })));
  const errors = drops.flatMap((drop) => (drop.status === 'rejected' ? [drop.reason] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join('\n'));
}

/** One session, opened at the first query and again when a test has killed it. */
function openPool(url: string, applicationName: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
  });
  pool.on('error', () => undefined);
  return pool;
}
