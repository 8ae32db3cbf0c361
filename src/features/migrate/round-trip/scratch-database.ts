import { randomBytes } from 'node:crypto';

import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';

const PREFIX = 'aisec_scratch_';
/** A run that was killed left it; one that works has a session on it, or has just made it. */
const FORGOTTEN_AFTER_MS = 60 * 60 * 1000;

/** Drops scratch databases that runs which were killed have left on this server. */
async function sweep(session: Session): Promise<void> {
  const { rows } = await session.query<{ name: string; made_at: string | null }>(
    `select
       database.datname::text as name,
       pg_catalog.shobj_description(database.oid, 'pg_database') as made_at
     from pg_catalog.pg_database as database
     where pg_catalog.starts_with(database.datname, $1)
       and not exists (
         select
         from pg_catalog.pg_stat_activity as activity
         where activity.datid = database.oid
       )`,
    [PREFIX],
  );
  for (const { name, made_at: madeAt } of rows) {
    const made = Date.parse(madeAt ?? '');
    if (Number.isNaN(made) || Date.now() - made < FORGOTTEN_AFTER_MS) continue;
    await session.query(`drop database if exists ${quoteIdentifier(name)}`);
  }
}

/**
 * Runs the callback with the name of a new, empty database on the server of the session, and drops it whatever happens.
 * The database of the session is not touched.
 *
 * @throws AisecError PRIVILEGE_MISSING without CREATEDB.
 */
export async function withScratchOnServer<Result>(
  session: Session,
  use: (database: string) => Promise<Result>,
): Promise<Result> {
  await sweep(session);
  const name = `${PREFIX}${randomBytes(6).toString('hex')}`;
  await session.query(`create database ${quoteIdentifier(name)} template template0 encoding 'UTF8'`);
  try {
    await session.query(`comment on database ${quoteIdentifier(name)} is ${quoteLiteral(new Date().toISOString())}`);
    return await use(name);
  } finally {
    await session.cleanUp(`drop database if exists ${quoteIdentifier(name)} with (force)`);
  }
}
