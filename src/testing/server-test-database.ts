import { randomBytes } from 'node:crypto';

import { Kysely } from 'kysely';

import { createPool } from '../adapters/postgres/pool/pool.js';
import { PoolDialect } from '../adapters/postgres/pool/pool-dialect.js';
import { openServer } from '../adapters/postgres/server.js';
import type { Session } from '../adapters/postgres/session.js';
import { sqlFile } from '../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../base/identifier.js';
import { AisecError } from '../base/errors.js';
import type { ServerTarget } from '../config/database-target.js';
import { resolveServiceTarget } from '../config/connection/service-target.js';
import type { MigrationFile } from '../features/migrate/index.js';
import type { DB } from '../schema/index.js';
import { readTables, tableCleaner } from './clear-tables.js';
import { createFactories } from './factories.js';
import { keyOf, migrate, NAMES } from './migrated.js';
import { createServiceRole, dropServiceRole } from './service-role.js';
import { lockKeyOf, readSurroundings, serverTemplate, type Surroundings } from './server-template.js';
import type { TestDatabase } from './test-database.js';

const APPLICATION_NAME = 'aisec testing';
const POOL = {
  applicationName: APPLICATION_NAME,
  poolSize: 1,
  maxOverflow: 19,
  connectTimeoutMs: 30_000,
  recycleAfterMs: 3_600_000,
  onError: () => undefined,
};

function open(target: ServerTarget, database = target.connection.database): Promise<Session> {
  return openServer(
    { ...target, connection: { ...target.connection, database } },
    {
      applicationName: APPLICATION_NAME,
      ...NAMES,
      lockTimeoutMs: 0,
      statementTimeoutMs: 0,
      idleTimeoutMs: 0,
      embedded: 'existing',
      signal: new AbortController().signal,
    },
  );
}

async function migrateInto(target: ServerTarget, database: string, files: readonly MigrationFile[]): Promise<void> {
  const session = await open(target, database);
  try {
    await migrate(session, files);
  } finally {
    await session.close();
  }
}

/** Held until the session ends: the sign that the database of this name is in use. */
async function tryLock(home: Session, name: string): Promise<boolean> {
  const text = 'select pg_catalog.pg_try_advisory_lock($1) as locked';
  return (await home.query<{ locked: boolean }>(text, [lockKeyOf(name)])).rows[0]?.locked === true;
}

async function drop(home: Session, name: string): Promise<void> {
  await home.query(`drop database if exists ${quoteIdentifier(name)} with (force)`);
  // The role of its service has the same name.
  await dropServiceRole((text) => home.query(text), name);
  await home.cleanUp('select pg_catalog.pg_advisory_unlock($1)', [lockKeyOf(name)]);
}

/** Drops the databases of processes that are gone. */
async function sweep(home: Session, { prefix, made }: Surroundings): Promise<void> {
  for (const { name } of made)
    if (!name.startsWith(`${prefix}template_`) && (await tryLock(home, name))) await drop(home, name);
}

/** The same server and parameters, another database and role. */
function urlOf(url: string, database: string, username: string, password: string): string {
  const own = Object.assign(new URL(url), { pathname: `/${database}`, username, password });
  for (const name of ['user', 'password', 'dbname']) own.searchParams.delete(name);
  return own.href;
}

async function openClone<Tables>(
  home: Session,
  target: ServerTarget,
  url: string,
  name: string,
): Promise<TestDatabase<Tables>> {
  const clone = await open(target, name);
  const clean = tableCleaner((text) => clone.query(text), await readTables((text) => clone.query(text)));
  const password = randomBytes(24).toString('base64url');
  await createServiceRole((text) => clone.query(text), name, password);
  // As in production: a copy of a database does not have the privileges on it (docs/client.md).
  await clone.query(`revoke temporary on database ${quoteIdentifier(name)} from public`);
  const connection = { ...target.connection, database: name };
  const opened = (its: ServerTarget): Kysely<Tables> =>
    // Asked before each use: reset ends the sessions of the pool.
    new Kysely({
      dialect: new PoolDialect({
        createPool: () => createPool(its, POOL),
        prePingAfterMs: 0,
        address: { host: its.connection.host, port: Number(its.connection.port), database: its.connection.database },
      }),
    });
  const admin = opened({ ...target, connection });
  const { make, restart } = createFactories(admin as unknown as Kysely<DB>);
  const db = opened({ ...target, connection: { ...connection, user: name, password } });
  return {
    db,
    admin,
    make,
    role: name,
    url: urlOf(url, name, name, password),
    reset: async () => {
      await clone.query(sqlFile('testing/end-sessions'));
      await clean();
      restart();
    },
    close: async () => {
      await db.destroy();
      await admin.destroy();
      await clone.close();
      await drop(home, name);
      await home.close();
    },
  };
}

/**
 * A copy of a template database that has the migrations, on the server of the url. The role must be allowed to make
 * databases and what is in the migrations; a superuser is.
 */
export async function openServerTestDatabase<Tables>(
  url: string,
  files: readonly MigrationFile[],
): Promise<TestDatabase<Tables>> {
  const target = resolveServiceTarget(url);
  if (target.servers !== undefined)
    throw new AisecError('CONFIG_INVALID', 'createTestDatabase: the url names several servers', {
      hint: 'Name one; a test database is made on it.',
    });
  const home = await open(target);
  try {
    const template = await serverTemplate(home, keyOf(files), (database) => migrateInto(target, database, files));
    const surroundings = await readSurroundings(home);
    await sweep(home, surroundings);
    const name = `${surroundings.prefix}${randomBytes(8).toString('hex')}`;
    // Before it is there, so that no other run takes it for a leftover.
    await tryLock(home, name);
    await home.query(`create database ${quoteIdentifier(name)} template ${quoteIdentifier(template)}`);
    return await openClone<Tables>(home, target, url, name);
  } catch (error) {
    await home.close();
    throw error;
  }
}
