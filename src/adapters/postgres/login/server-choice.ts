import { AisecError } from '../../../base/errors.js';
import { serversOf, type ServerTarget } from '../../../config/database-target.js';
import { translateConnectError } from '../connect-error.js';
import { isNotUpYet, NoServerFound, type ConnectAttempt } from './not-up-yet.js';
import { OtherKindOfServer } from './session-attributes.js';

function shuffled<Item>(items: readonly Item[]): readonly Item[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function wanting(target: ServerTarget, targetSessionAttrs: string): ServerTarget {
  return { ...target, connection: { ...target.connection, targetSessionAttrs } };
}

/**
 * Connects to the first of the servers that can be reached and is of the kind that is asked for, as libpq does: a server that
 * refuses the login ends the search.
 * https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 *
 * @param connectTo connects to one server; it throws OtherKindOfServer, or what the driver or the system says
 * @throws NoServerFound, or an AisecError for what ends the search; of a single server whatever `connectTo` throws.
 */
export async function connectToFirst<Connection>(
  target: ServerTarget,
  connectTo: (server: ServerTarget) => Promise<Connection>,
): Promise<Connection> {
  const named = serversOf(target);
  const [only, ...more] = named;
  if (only === undefined || more.length === 0) return connectTo(only ?? target);
  const servers = target.connection.loadBalanceHosts === 'random' ? shuffled(named) : named;
  const attempts: ConnectAttempt[] = [];
  const connectToOneOf = async (candidates: readonly ServerTarget[]): Promise<Connection | undefined> => {
    for (const server of candidates) {
      try {
        return await connectTo(server);
      } catch (error) {
        if (!(error instanceof OtherKindOfServer) && !isNotUpYet(error))
          throw error instanceof AisecError ? error : translateConnectError(error, server);
        attempts.push({ target: server, error });
      }
    }
    return undefined;
  };
  if (target.connection.targetSessionAttrs !== 'prefer-standby') {
    const found = await connectToOneOf(servers);
    if (found !== undefined) return found;
    throw new NoServerFound(attempts);
  }
  const standby = await connectToOneOf(servers.map((server) => wanting(server, 'standby')));
  if (standby !== undefined) return standby;
  const primaries = attempts.filter(({ error }) => error instanceof OtherKindOfServer);
  const primary = await connectToOneOf(primaries.map((attempt) => wanting(attempt.target, 'any')));
  if (primary !== undefined) return primary;
  throw new NoServerFound(attempts);
}
