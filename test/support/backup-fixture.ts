import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';

import pg from 'pg';
import { beforeAll } from 'vitest';

import { SOME_MESSAGES } from '../fixtures/some-messages.js';
import { createEmbeddedDirectory, createServerDatabase, type ServerDatabase } from './database.js';
import { startCli, type CliResult, type RunningCli } from './run-cli.js';
import { runInProcess, type InProcessOptions } from './run-in-process.js';
import { waitFor } from './wait-for.js';

export interface BackupFixture {
  readonly database: () => ServerDatabase;
  /** A new path that is not there yet. */
  readonly newDirectory: () => Promise<string>;
  readonly backup: (directory: string, args?: readonly string[], options?: InProcessOptions) => Promise<CliResult>;
  readonly start: (directory: string, args?: readonly string[]) => RunningCli;
  /** `aisec backup VERB ...` without a server. */
  readonly local: (args: readonly string[]) => Promise<CliResult>;
  /** Names in a directory, those of locks left out; undefined when it is not there. */
  readonly names: (directory: string) => readonly string[] | undefined;
  /** Makes pg_dump wait, with its tables locked and its file begun, until the returned function is called. */
  readonly holdDump: () => Promise<() => Promise<void>>;
  /** Waits until pg_dump has come to what is held. */
  readonly untilHeld: () => Promise<void>;
}

/** A migrated database with 300 messages; call it at the top of a `describeOnServer`. */
export function useBackupFixture(): BackupFixture {
  let database: ServerDatabase;
  let root = '';
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    root = await createEmbeddedDirectory();
    await database.admin.query(SOME_MESSAGES);
    await database.admin.query('create sequence held');
  });
  const env = (): Record<string, string> => ({ DATABASE_URL: database.url });
  return {
    database: () => database,
    newDirectory: async () => path.join(await mkdtemp(path.join(root, 'run-')), 'backups'),
    backup: (directory, args = [], options = {}) =>
      runInProcess(['backup', '--dir', directory, ...args], { ...options, env: { ...env(), ...options.env } }),
    start: (directory, args = []) => startCli(['backup', '--dir', directory, ...args], { env: env() }),
    local: (args) => runInProcess(['backup', ...args]),
    names: (directory) =>
      existsSync(directory)
        ? readdirSync(directory)
            .filter((name) => !name.startsWith('.aisec-'))
            .toSorted()
        : undefined,
    async holdDump() {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      // pg_dump reads each sequence, and no lock of its own or ours is on them.
      await client.query('begin; alter sequence held rename to still_held');
      return () => client.end();
    },
    untilHeld: () =>
      waitFor(async () => {
        const { rows } = await database.admin.query(
          `select from pg_locks
           where not granted
             and database = (select oid from pg_database where datname = current_database())`,
        );
        return rows.length > 0;
      }),
  };
}
