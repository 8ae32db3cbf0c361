import { cpSync, existsSync, readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';

import { beforeAll } from 'vitest';

import { startPGlite } from '../../src/adapters/embedded/embedded.js';
import { SOME_MESSAGES } from '../fixtures/some-messages.js';
import { createEmbeddedDirectory } from './database.js';
import { madeOnce } from './made-once.js';
import { monthOfNow } from './month-of-now.js';
import { createMigratedEmbedded } from './migrated-embedded.js';
import { startCli, type CliResult, type RunningCli } from './run-cli.js';
import { runInProcess, runWell, type InProcessOptions } from './run-in-process.js';

/** Rows that a careless dump loses: a line that looks like psql's own, quotes, tabs, a vector, an own function. */
export const TRICKY = 'first\n\\restrict abc\n\\unrestrict abc\n\\.\n\\N\tta\bb \'quoted\' "x" $$ ünïcödé 🙂\r\nend';

const FILL = `${SOME_MESSAGES}
  create table "Odd ""Name" (
    id int generated always as identity primary key, "Größe" text, twice int generated always as (id * 2) stored,
    raw bytea, near vector(3)
  )`;

/** What a restored database is asked. */
export const CONTENTS = `select
  (select count(*)::int from messages) as messages,
  (select array_agg("Größe" order by id) from "Odd ""Name") as texts,
  (select array_agg(twice order by id) from "Odd ""Name") as twice,
  (select string_agg(near::text, '') from "Odd ""Name") as near,
  (select count(*)::int from pg_roles where rolname = 'authenticated') as roles,
  (select relrowsecurity from pg_class where relname = 'messages') as is_secured`;
export const AS_BACKED_UP = [
  { messages: 300, texts: [TRICKY, '', null], twice: [2, 4, 6], near: '[1,2,3]', roles: 1, is_secured: true },
];

export interface EmbeddedBackupFixture {
  /** The directory of the database. */
  readonly dataDir: () => string;
  /** A backup of it. */
  readonly file: () => string;
  /** A new, empty directory. */
  readonly newDirectory: () => Promise<string>;
  readonly aisec: (args: readonly string[], options?: InProcessOptions) => Promise<CliResult>;
  readonly start: (args: readonly string[], options?: InProcessOptions) => RunningCli;
}

/** Names in a directory, those of locks left out. */
export function namesIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => !name.startsWith('.aisec-'))
    .toSorted();
}

type Environment = Readonly<Record<string, string>>;

const databaseIn = (directory: string): string => path.join(directory, 'database', 'pgdata');

/** Makes the database, and a backup of it in `first`. Returns the path of the backup. */
async function makeBackedUp(directory: string, args: readonly string[], surroundings: Environment): Promise<string> {
  const dataDir = databaseIn(directory);
  cpSync(await createMigratedEmbedded(), dataDir, { recursive: true });
  const engine = await startPGlite(dataDir);
  await engine.exec(FILL);
  await engine.query(
    `insert into "Odd ""Name" ("Größe", raw, near) values ($1, '\\x00ff5c', '[1,2,3]'), ('', null, null), (null, '', null)`,
    [TRICKY],
  );
  await engine.close();
  const env = { AISEC_DATA_DIR: dataDir, ...surroundings };
  const { stdout } = await runWell(['backup', '--dir', path.join(directory, 'first'), '--json', ...args], env);
  return String(JSON.parse(stdout).file);
}

/** A copy of what the run has once: the database with a plain backup. */
async function copyBackedUp(directory: string): Promise<string> {
  const ofRun = await madeOnce(`embedded-backed-up-${monthOfNow()}`, async (made) => {
    await makeBackedUp(made, [], {});
    return made;
  });
  cpSync(ofRun, directory, { recursive: true });
  const backups = path.join(directory, 'first');
  const [name = ''] = namesIn(backups).filter((each) => each.endsWith('.pgdata.tgz'));
  return path.join(backups, name);
}

/**
 * An embedded database with rows and a backup of it; call it at the top of a `describe`.
 *
 * @param args of the `aisec backup` that makes it
 * @param surroundings that every call has, as of the first one
 */
export function useEmbeddedBackupFixture(
  args: readonly string[] = [],
  surroundings: () => Environment = () => ({}),
): EmbeddedBackupFixture {
  let [dataDir, root, file] = ['', '', ''];
  const env = (options: InProcessOptions): InProcessOptions => ({
    ...options,
    env: { AISEC_DATA_DIR: dataDir, ...surroundings(), ...options.env },
  });
  const aisec: EmbeddedBackupFixture['aisec'] = (given, options = {}) => runInProcess(given, env(options));
  beforeAll(async () => {
    root = await createEmbeddedDirectory();
    dataDir = databaseIn(root);
    file = args.length === 0 ? await copyBackedUp(root) : await makeBackedUp(root, args, surroundings());
  });
  return {
    dataDir: () => dataDir,
    file: () => file,
    newDirectory: () => mkdtemp(path.join(root, 'run-')),
    aisec,
    start: (given, options = {}) => startCli(given, env(options)),
  };
}
