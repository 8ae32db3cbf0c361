import pg from 'pg';
import { databaseAddress } from './database-address.js';
import { dropDatabase, templateName } from './database-names.js';
import { runWell } from './run-in-process.js';

/**
 * Name of the run's template: a database with all migrations applied by the CLI, as a user would. The first caller
 * makes it, the others wait. Throws with the CLI's own words when `migrate up` fails.
 */
export async function migratedTemplate(serverUrl: string, runId: string): Promise<string> {
  const name = templateName(runId);
  const client = new pg.Client({ connectionString: serverUrl, application_name: 'test template' });
  await client.connect();
  try {
    // Held by the session, so that a worker that dies lets go of it.
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [name]);
    if (!(await isFinished(client, name))) await makeTemplate(client, name, databaseAddress(serverUrl, name));
    return name;
  } finally {
    await client.end();
  }
}

/** `is_template` is set last: a database of that name without it is what a failed attempt left. */
async function isFinished(client: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_database where datname = $1 and datistemplate', [name]);
  return rowCount === 1;
}

async function makeTemplate(client: pg.Client, name: string, url: string): Promise<void> {
  const quoted = pg.escapeIdentifier(name);
  await dropDatabase(client, name);
  await client.query(`create database ${quoted} template template0`);
  await runWell(['migrate', 'up'], { DATABASE_URL: url });
  await client.query(`alter database ${quoted} is_template true`);
}
