import { AisecError } from '../base/errors.js';
import type { Config } from './config.js';
import { parseReplicaUrl } from './connection-url.js';
import { resolveDatabaseTarget, withDefaults, type ServerTarget } from './database-target.js';
import type { ServerConnection } from './server-connection.js';
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
  const { host: _, port: __, password, service: ___, ...shared } = main.connection;
  const target = withDefaults({ ...shared, ...given }, environment, source);
  const { connection } = target;
  if (connection.password !== undefined || password === undefined || connection.user !== main.connection.user)
    return target;
  return { ...target, connection: { ...connection, password } };
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
