import { AisecError, messageOf } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { redactText } from '../../base/redact.js';
import type { ServerTarget } from '../../config/database-target.js';

interface ConnectFailure {
  readonly code?: string;
  readonly hint?: string;
  readonly severity?: string;
}

/** `database "app" at db:5432`: how messages name a server. */
export function describeServer(target: ServerTarget): string {
  const { database, host, port } = target.connection;
  return `database "${database}" at ${host.startsWith('/') ? host : `${host}:${port}`}`;
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there.',
  ENOTFOUND: 'The host name is not known.',
  EAI_AGAIN: 'The host name could not be looked up.',
  ETIMEDOUT: 'The host does not answer.',
  EHOSTUNREACH: 'There is no route to the host.',
  ENETUNREACH: 'There is no route to the network.',
  ENOENT: 'There is no such Unix socket.',
  EACCES: 'The Unix socket may not be opened.',
};

/** One error, with its own hint, for each way in which a connection can fail to be made. */
export function translateConnectError(thrown: unknown, target: ServerTarget): AisecError {
  const error = thrown as ConnectFailure;
  const { user, database } = target.connection;
  const where = describeServer(target);
  const message = redactText(messageOf(thrown));
  const parts = { cause: thrown, sqlState: error.severity === undefined ? undefined : error.code };
  if (error.code === '28P01' || (error.code === undefined && /SASL|password/i.test(message))) {
    return new AisecError('DATABASE_AUTH', `password authentication failed for user "${user}" on ${where}`, {
      ...parts,
      detail: /must be a string/.test(message) ? 'The server asks for a password and none is set.' : undefined,
      hint: `Check the password that ${target.source}, PGPASSWORD or ~/.pgpass gives for this user.`,
    });
  }
  if (error.code === '28000') {
    return new AisecError('DATABASE_AUTH', `user "${user}" may not log in to ${where}`, {
      ...parts,
      detail: `The server says: ${message}.`,
      hint: "Check the user name, sslmode, and the server's pg_hba.conf.",
    });
  }
  if (error.code === '3D000') {
    return new AisecError('DATABASE_MISSING', `${where} does not exist`, {
      ...parts,
      hint: `Create it (create database ${quoteIdentifier(database)};) or correct ${target.source}.`,
    });
  }
  if (error.code === '42501') {
    return new AisecError('PRIVILEGE_MISSING', `user "${user}" has no CONNECT privilege on ${where}`, {
      ...parts,
      hint: `An owner can run: grant connect on database ${quoteIdentifier(database)} to ${quoteIdentifier(user)};`,
    });
  }
  if (
    /unsupported startup parameter|no such database|pgbouncer|pooler/i.test(message) &&
    error.code?.startsWith('08') === true
  ) {
    return new AisecError(
      'DATABASE_POOLED',
      `a connection pooler at ${target.connection.host} refused the connection`,
      {
        ...parts,
        detail: `It says: ${message}.`,
        hint: `Point ${target.source} at the PostgreSQL server itself.`,
      },
    );
  }
  return new AisecError('DATABASE_UNREACHABLE', `could not connect to ${where}`, {
    ...parts,
    detail:
      UNREACHABLE[error.code ?? ''] ??
      (/timeout/i.test(message) ? 'The server did not answer in time.' : `${message}.`),
    hint: `Check that the server runs and that ${target.source} names it correctly.`,
  });
}
