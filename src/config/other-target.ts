import type { Config } from './config.js';
import { parseUrlOfFlag } from './connection/connection-url.js';
import { withDefaults, type ServerTarget } from './database-target.js';

/**
 * A server beside the configured one, which a flag names; what its URL leaves open comes from libpq's variables.
 *
 * @throws AisecError CONFIG_INVALID, also for a URL that carries a password.
 */
export function resolveOtherTarget({ environment }: Config, url: string, flag: string): ServerTarget {
  return withDefaults(parseUrlOfFlag(url, flag, '~/.pgpass or PGPASSWORD'), environment, flag);
}
