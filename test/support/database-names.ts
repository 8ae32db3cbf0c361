import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { monthOfNow } from './month-of-now.js';

const prefix = 'aisec_test_';
const forgottenAfterSeconds = 24 * 60 * 60;

/** A name nobody else has: the run it belongs to, and chance. */
export function newDatabaseName(runId: string): string {
  return `${prefix}${runId}_${randomBytes(4).toString('hex')}`;
}

/** The database that the migrated databases of a run are cloned from; another one when the month has changed meanwhile. */
export function templateName(runId: string): string {
  return `${prefix}${runId}_template_${monthOfNow()}`;
}

/** Drops every database of a run, the template too. */
export async function dropDatabasesOfRun(serverUrl: string, runId: string): Promise<void> {
  await dropDatabases(serverUrl, (name) => name.startsWith(`${prefix}${runId}_`));
}

/** Drops the databases of runs that were killed more than a day ago. */
export async function dropForgottenDatabases(serverUrl: string): Promise<void> {
  const nowSeconds = Date.now() / 1000;
  await dropDatabases(serverUrl, (name) => {
    const startedSeconds = /^aisec_test_([0-9a-z]{6,7})_[0-9a-f]{4}_/.exec(name)?.[1];
    return startedSeconds !== undefined && nowSeconds - Number.parseInt(startedSeconds, 36) > forgottenAfterSeconds;
  });
}

async function dropDatabases(serverUrl: string, isMeant: (name: string) => boolean): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl, application_name: 'test clean-up' });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('select datname from pg_database');
    for (const { datname } of rows.filter((row) => isMeant(row.datname))) await dropDatabase(client, datname);
  } finally {
    await client.end();
  }
}

/** Drops a database whoever is connected to it, a template too. */
export async function dropDatabase(client: Pick<pg.Client, 'query'>, name: string): Promise<void> {
  const { rows } = await client.query<{ datistemplate: boolean }>(
    'select datistemplate from pg_database where datname = $1',
    [name],
  );
  if (rows[0] === undefined) return;
  const quoted = pg.escapeIdentifier(name);
  if (rows[0].datistemplate) await client.query(`alter database ${quoted} is_template false`);
  await client.query(`drop database if exists ${quoted} with (force)`);
}
