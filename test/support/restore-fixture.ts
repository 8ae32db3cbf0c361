import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';

import { databaseAddress } from './database-address.js';
import { dropDatabase, newDatabaseName } from './database-names.js';
import { SOME_MESSAGES } from '../fixtures/some-messages.js';
import { createEmbeddedDirectory, createServerDatabase, type ServerDatabase } from './database.js';
import { holdProgram } from './held-program.js';
import { startCli, type CliResult, type RunningCli } from './run-cli.js';
import { runInProcess } from './run-in-process.js';
import { takeBackup } from './take-backup.js';

const FILL = `${SOME_MESSAGES}
  create table "Odd ""Name" (id int generated always as identity primary key, "Größe" text);
  insert into "Odd ""Name" ("Größe") values ('a'), ('b')`;

/** A backup of a platform with 300 messages and an oddly named table, and the databases that tests restore it to. */
export interface RestoreFixture {
  readonly source: () => ServerDatabase;
  readonly server: () => pg.Client;
  /** Path of the archive. */
  readonly file: () => string;
  /** A name nobody has; what is called so at the end, also in part, is dropped. */
  readonly newName: (suffix?: string) => string;
  readonly urlOf: (name: string) => string;
  /** `aisec restore FILE ...`, with the database at `url` configured. */
  readonly restore: (args: readonly string[], url?: string) => Promise<CliResult>;
  /** A run that has begun with its new database, and waits in front of the rows until it is released. */
  readonly startHeld: (
    args: readonly string[],
    url?: string,
  ) => Promise<{ readonly run: RunningCli; readonly release: () => void }>;
  readonly start: (args: readonly string[], url?: string) => RunningCli;
  /** Databases with this text in their name. */
  readonly databases: (text: string) => Promise<readonly string[]>;
  readonly queryIn: (name: string, sql: string) => Promise<readonly Record<string, unknown>[]>;
  /** Autovacuum is none. */
  readonly sessionsOn: (name: string) => Promise<number>;
}

/** Call it at the top of a `describeOnServer`. */
export function useRestoreFixture(): RestoreFixture {
  let source: ServerDatabase;
  let server: pg.Client;
  let file = '';
  const made = new Set<string>();
  const databases = async (text: string): Promise<readonly string[]> =>
    (
      await server.query<{ datname: string }>(
        'select datname from pg_database where strpos(datname, $1) > 0 order by datname',
        [text],
      )
    ).rows.map(({ datname }) => datname);
  const urlOf = (name: string): string => databaseAddress(source.url, encodeURIComponent(name));

  beforeAll(async () => {
    source = await createServerDatabase({ migrated: true });
    await source.admin.query(FILL);
    file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(source.url, file);
    server = new pg.Client({ connectionString: inject('databaseUrl') ?? '' });
    await server.connect();
  });
  afterAll(async () => {
    for (const name of made) for (const one of await databases(name)) await dropDatabase(server, one);
    await server.end();
  });

  return {
    source: () => source,
    server: () => server,
    file: () => file,
    newName(suffix = '') {
      const name = `${newDatabaseName(inject('runId'))}${suffix}`;
      made.add(name);
      return name;
    },
    urlOf,
    restore: (args, url = source.url) => runInProcess(['restore', file, ...args], { env: { DATABASE_URL: url } }),
    start: (args, url = source.url) => startCli(['restore', file, ...args], { env: { DATABASE_URL: url } }),
    async startHeld(args, url = source.url) {
      const held = await holdProgram('pg_restore', '--dbname=');
      const run = startCli(['restore', file, ...args], { env: { DATABASE_URL: url, ...held.environment } });
      await held.reached();
      return { run, release: held.release };
    },
    databases,
    async queryIn(name, sql) {
      const client = new pg.Client({ connectionString: urlOf(name) });
      await client.connect();
      try {
        return (await client.query(sql)).rows;
      } finally {
        await client.end();
      }
    },
    async sessionsOn(name) {
      const { rows } = await server.query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
        [name],
      );
      return rows[0]?.n ?? 0;
    },
  };
}
