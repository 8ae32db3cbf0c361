import { AisecError, isAisecError, messageOf } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { redactText } from '../../base/redact.js';
import { serversOf, type ServerTarget } from '../../config/database-target.js';
import { LoginDemandError } from './login/demands.js';
import { NoServerFound, type ConnectAttempt } from './login/not-up-yet.js';
import { OtherKindOfServer } from './login/session-attributes.js';
import { isTlsFault } from './login/tls.js';

interface ConnectFailure {
  readonly routine?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly severity?: string;
}

function addressText({ connection: { host, port } }: ServerTarget): string {
  if (host.startsWith('/')) return `${host}/.s.PGSQL.${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `database "app" at db:5432`: how messages name a server, or the several that were named. */
export function describeServer(target: ServerTarget): string {
  return `database "${target.connection.database}" at ${serversOf(target).map(addressText).join(' or ')}`;
}

/** A sentence of a server's message: its own has a lower-case start and no full stop. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there.',
  ECONNRESET: 'The other side closed the connection.',
  ENOTFOUND: 'The host name is not known.',
  EAI_AGAIN: 'The host name could not be looked up.',
  ETIMEDOUT: 'The host does not answer.',
  EHOSTUNREACH: 'There is no route to the host.',
  ENETUNREACH: 'There is no route to the network.',
  ENOENT: 'There is no such Unix socket.',
  EACCES: 'The Unix socket may not be opened.',
};

function unreachableDetail(code: string | undefined, message: string, seconds: string | undefined): string {
  if (/timeout expired|due to connection timeout/i.test(message))
    return `The server did not answer within ${seconds ?? '10'} seconds.`;
  if (/terminated unexpectedly/i.test(message)) return 'The other side closed the connection at once.';
  if (/received invalid response/i.test(message)) return 'What listens there does not speak the PostgreSQL protocol.';
  return UNREACHABLE[code ?? ''] ?? sentence(message);
}

/** None of several servers could be had: each with what it says. */
function noServerError(target: ServerTarget, attempts: readonly ConnectAttempt[], cause: unknown): AisecError {
  const details = attempts.map(({ target: server, error }) => {
    const { message, detail } = translateConnectError(error, server);
    return `${addressText(server)}: ${detail ?? sentence(message)}`;
  });
  const wanted = target.connection.targetSessionAttrs;
  const kind = wanted === undefined || wanted === 'any' ? '' : ` that target_session_attrs=${wanted} asks for`;
  return new AisecError(
    'DATABASE_UNREACHABLE',
    `none of the servers${kind} could be reached: ${describeServer(target)}`,
    {
      detail: details.join(' '),
      hint: `Check that the servers run and that ${target.source} names them correctly.`,
      cause,
    },
  );
}

/** By the function of the server that refuses, since its words may be in any language. */
function reachedLimit(routine: string | undefined, { connection }: ServerTarget): { reason: string; fix: string } {
  const [role, database] = [quoteIdentifier(connection.user), quoteIdentifier(connection.database)];
  switch (routine) {
    case 'InitializeSessionUserId':
      return {
        reason: `the CONNECTION LIMIT of role ${role} is reached`,
        fix: `raise it with ALTER ROLE ${role} CONNECTION LIMIT`,
      };
    case 'CheckMyDatabase':
      return {
        reason: 'the CONNECTION LIMIT of the database is reached',
        fix: `raise it with ALTER DATABASE ${database} CONNECTION LIMIT`,
      };
    case 'InitPostgres':
      return {
        reason: 'the last ones are reserved (reserved_connections, superuser_reserved_connections)',
        fix: `raise max_connections, or let an administrator run: grant pg_use_reserved_connections to ${role}`,
      };
    case undefined:
    default:
      return { reason: 'max_connections is reached', fix: 'raise max_connections' };
  }
}

/** One error, with its own hint, for each way in which a connection can fail to be made. */
export function translateConnectError(thrown: unknown, target: ServerTarget): AisecError {
  if (thrown instanceof NoServerFound) return noServerError(target, thrown.attempts, thrown);
  const error = thrown as ConnectFailure;
  const { user, database, connectTimeoutSeconds, host } = target.connection;
  const where = describeServer(target);
  const message = redactText(messageOf(thrown));
  const sqlState = error.severity === undefined ? undefined : error.code;
  const parts = { cause: thrown, sqlState };
  const said = `The server says: ${sentence(message)}`;
  if (thrown instanceof LoginDemandError)
    return new AisecError('DATABASE_AUTH', `could not log in to ${where}: ${message}`, {
      ...parts,
      hint:
        thrown.parameter === 'require_auth'
          ? "Correct require_auth (PGREQUIREAUTH), or the server's pg_hba.conf."
          : 'Connect over TLS to a server with scram-sha-256 passwords, or leave channel_binding (PGCHANNELBINDING) out.',
    });
  if (thrown instanceof OtherKindOfServer)
    return new AisecError(
      'DATABASE_UNREACHABLE',
      `${where} is not what target_session_attrs=${thrown.wanted} asks for`,
      {
        detail: thrown.message,
        hint: 'Name another server, or leave target_session_attrs (PGTARGETSESSIONATTRS) out.',
      },
    );
  if (sqlState === '28P01' || (sqlState === undefined && /SASL|password/i.test(message))) {
    const isMissing = target.connection.password === undefined;
    const text = isMissing ? 'needs a password to log in to' : 'was refused with this password by';
    return new AisecError('DATABASE_AUTH', `user "${user}" ${text} ${where}`, {
      ...parts,
      detail: target.passwordProblem ?? (sqlState === undefined ? undefined : said),
      hint: isMissing
        ? 'Set PGPASSWORD, add a line to ~/.pgpass, or put the URL with the password into DATABASE_URL.'
        : `Check the password that ${target.source}, PGPASSWORD or ~/.pgpass gives for this user.`,
    });
  }
  if (sqlState === '28000') {
    return new AisecError('DATABASE_AUTH', `user "${user}" may not log in to ${where}`, {
      ...parts,
      detail: said,
      hint: "Check the user name, sslmode, and the server's pg_hba.conf.",
    });
  }
  if (sqlState === '3D000') {
    return new AisecError('DATABASE_MISSING', `${where} does not exist`, {
      ...parts,
      hint: `Create it (create database ${quoteIdentifier(database)};) or correct ${target.source}.`,
    });
  }
  const { role } = target.connection;
  if (role !== undefined && /\brole\b/.test(message) && ['22023', '42501', '42704'].includes(sqlState ?? '')) {
    return new AisecError(
      sqlState === '42501' ? 'PRIVILEGE_MISSING' : 'CONFIG_INVALID',
      sqlState === '42501'
        ? `user "${user}" may not work as the role "${role}" on ${where}`
        : `the role "${role}" of --role does not exist on ${where}`,
      {
        ...parts,
        detail: said,
        hint:
          sqlState === '42501'
            ? `Let an administrator run: grant ${quoteIdentifier(role)} to ${quoteIdentifier(user)} with set true;`
            : 'Correct --role (AISEC_ROLE), or create the role.',
      },
    );
  }
  if (sqlState === '42501') {
    return new AisecError('PRIVILEGE_MISSING', `user "${user}" has no CONNECT privilege on ${where}`, {
      ...parts,
      hint: `Its owner can run: grant connect on database ${quoteIdentifier(database)} to ${quoteIdentifier(user)};`,
    });
  }
  if (sqlState === '53300') {
    const limit = reachedLimit(error.routine, target);
    return new AisecError('DATABASE_UNREACHABLE', `no connection is left on ${where}: ${limit.reason}`, {
      ...parts,
      detail: said,
      hint: `End sessions that are not needed (see pg_stat_activity), or ${limit.fix}. --wait-for-database 30s retries.`,
    });
  }
  if (sqlState === '57P03' || sqlState === '55000') {
    return new AisecError('DATABASE_UNREACHABLE', `${where} accepts no connections now`, {
      ...parts,
      detail: said,
      hint: 'Try again when the server has started, or ask its administrator.',
    });
  }
  if (sqlState?.startsWith('08') === true && /startup parameter|no such database|bouncer|pooler/i.test(message)) {
    return new AisecError('DATABASE_POOLED', `a connection pooler at ${host} refused the connection`, {
      ...parts,
      detail: `It says: ${sentence(message)}`,
      hint: `Point ${target.source} at the PostgreSQL server itself.`,
    });
  }
  if (isTlsFault(thrown)) {
    return new AisecError('DATABASE_UNREACHABLE', `could not make an encrypted connection to ${where}`, {
      ...parts,
      detail: sentence(message),
      hint: 'Check sslmode and sslrootcert; sslmode=disable connects without encryption.',
    });
  }
  return new AisecError('DATABASE_UNREACHABLE', `could not connect to ${where}`, {
    ...parts,
    detail: unreachableDetail(error.code, message, connectTimeoutSeconds),
    hint: `Check that the server runs and that ${target.source} names it correctly.`,
  });
}

/** A server that had given a session, and gives no further one, was lost. One that is full (53300) was not. */
export function lostServer(error: unknown): unknown {
  if (!isAisecError(error, 'DATABASE_UNREACHABLE') || error.sqlState === '53300') return error;
  const { message, detail, hint, sqlState, cause } = error;
  return new AisecError('CONNECTION_LOST', message, { detail, hint, sqlState, cause });
}
