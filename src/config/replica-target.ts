import { AisecError } from '../base/errors.js';
import type { Config } from './config.js';
import { parseReplicaUrl } from './connection/connection-url.js';
import { resolveDatabaseTarget, withDefaults, withPassword, type ServerTarget } from './database-target.js';
import type { ServerConnection } from './connection/server-connection.js';
import type { Environment } from './settings.js';

const FLAG = '--replica';

/**
 * A replica of a server. What its URL leaves open is as there, for it has the same databases and roles: so is the password, of
 * the same user, when no file has another one for the replica.
 *
 * @throws AisecError CONFIG_INVALID.
 */
export function replicaOf(
  main: ServerTarget,
  given: ServerConnection,
  environment: Environment,
  source: string,
): ServerTarget {
  const { host: _, hostAddress: __, port: ___, password, service: ____, ...shared } = main.connection;
  // Which kind of server the main one must be says nothing about a replica.
  const own = { ...shared, targetSessionAttrs: 'any', ...given };
  const { PGHOSTADDR: _____, ...variables } = environment;
  const target = withDefaults(own, given.host === undefined ? environment : variables, source);
  return password === undefined || target.connection.user !== main.connection.user
    ? target
    : withPassword(target, password);
}

/** A replica of the configured server. @throws AisecError CONFIG_INVALID; USAGE for the embedded database. */
export function resolveReplicaTarget(config: Config, url: string): ServerTarget {
  const main = resolveDatabaseTarget(config);
  if (main.kind === 'embedded')
    throw new AisecError('USAGE', `${FLAG}: the embedded database has no replicas`, {
      hint: 'Set DATABASE_URL, or give --database-url.',
    });
  return replicaOf(main, parseReplicaUrl(url), config.environment, FLAG);
}
