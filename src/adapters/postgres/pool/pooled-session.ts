import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';
import { clientSql } from '../client-sql.js';
import { Session, type SessionInfo } from '../session.js';
import { identifySession, serverSettings } from '../session-settings.js';
import { cancelStatements } from './cancel-statement.js';
import { cleanSession } from './clean-session.js';
import { notesOf } from './connection-notes.js';
import type { PoolDriver } from './pool-driver.js';

export interface PooledSessionOptions {
  readonly signal: AbortSignal;
  /** Longest pause inside of a transaction, after which the server ends the session. */
  readonly idleTimeoutMs: number;
}

interface PlaceRow {
  readonly database: string;
  readonly schema: string | null;
  readonly extension_schema: string | null;
}

/** The schema that the connection finds the platform in. @throws AisecError MIGRATION_PENDING. */
async function findPlace(client: pg.PoolClient): Promise<PlaceRow & { readonly schema: string }> {
  const { rows } = await client.query<PlaceRow>(clientSql('session-place'));
  const [row] = rows;
  if (row !== undefined && row.schema !== null) return { ...row, schema: row.schema };
  throw new AisecError('MIGRATION_PENDING', `the database "${row?.database ?? ''}" has no table users`, {
    hint: 'Run: aisec migrate up. If it has run, look at the search_path of the role and at the address of the database.',
  });
}

function labelOf({ address }: PoolDriver, database: string): string {
  return address === undefined
    ? 'the database in this process'
    : `database "${database}" at ${address.host}:${address.port}`;
}

/**
 * Runs work of the toolkit on a connection of a pool, which it has to itself meanwhile and which is closed afterwards.
 * What it works on is the schema that the connection finds the platform in.
 *
 * @throws AisecError CONFIG_INVALID through a pooler in transaction mode, MIGRATION_PENDING without the platform's tables.
 */
export async function withPooledSession<Result>(
  driver: PoolDriver,
  { signal, idleTimeoutMs }: PooledSessionOptions,
  use: (session: Session, schema: string) => Promise<Result>,
): Promise<Result> {
  return driver.lend(async (client) => {
    const notes = notesOf(client);
    const kind: SessionInfo['kind'] = driver.address === undefined ? 'embedded' : 'server';
    if (kind === 'server' && notes.isPooled)
      throw new AisecError('CONFIG_INVALID', 'the connection goes through a pooler in transaction mode', {
        detail: 'This work needs a session to itself.',
        hint: 'Give createDatabase the address of the server itself, for this work alone.',
      });
    const { database, schema, extension_schema: extensionSchema } = await findPlace(client);
    const limits = { lockTimeoutMs: 0, statementTimeoutMs: 0, idleTimeoutMs };
    const pins = { schema, extensionSchema: extensionSchema ?? schema, ...limits };
    const { pid, serverVersion, runsCitus } = await identifySession(client, kind, pins);
    const info = { kind, label: labelOf(driver, database), databaseName: database, pid, serverVersion, runsCitus };
    const session: Session = new Session(client, info, {
      // Of its own, for its listener stays: a signal of the caller may outlive many sessions.
      signal: AbortSignal.any([signal]),
      settings: serverSettings(pins),
      // In this process nothing can be sent beside the statement that runs.
      cancel: () => (kind === 'server' ? cancelStatements(client, () => !session.isBusy) : Promise.resolve()),
      copyIn: () => Promise.reject(new Error('a session of a pool takes no COPY')),
    });
    try {
      return await use(session, schema);
    } finally {
      // Where the database has one session, the next connection has this one.
      if (kind === 'embedded') await client.query(cleanSession(notes, true)).catch(() => undefined);
    }
  }, signal);
}
