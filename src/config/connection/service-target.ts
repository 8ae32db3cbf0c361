import { AisecError } from '../../base/errors.js';
import { parseConnectionUrl } from './connection-url.js';
import { resolveDatabaseTarget, serverTargetOf, type ServerTarget } from '../database-target.js';
import { processEnvironment, withoutEmpty } from '../environment.js';
import { replicaOf } from '../replica-target.js';

/**
 * The server of a service: a URL, else what the environment names by DATABASE_URL, AISEC_DATABASE_URL_FILE or libpq's
 * variables. Never the embedded database, and no `.env`, which is the service's own business.
 *
 * @throws AisecError CONFIG_INVALID, DATABASE_NOT_CONFIGURED.
 */
export function resolveServiceTarget(url: string | undefined): ServerTarget {
  const environment = withoutEmpty(processEnvironment());
  if (url !== undefined) return serverTargetOf(url, environment, 'the url option');
  // Not resolveConfig: its defaults are paths of the package, which a bundled service does not have.
  const embedded = { isProduction: false, dataDir: '', emptyAddresses: [] };
  const target = resolveDatabaseTarget({ flags: {}, environment, cwd: process.cwd(), ...embedded });
  if (target.kind === 'server') return target;
  throw new AisecError('DATABASE_NOT_CONFIGURED', 'no server is configured', {
    hint: 'Give createDatabase a url, or set DATABASE_URL, AISEC_DATABASE_URL_FILE or PGHOST.',
  });
}

/** A replica of the server of a service. @throws AisecError CONFIG_INVALID. */
export function resolveServiceReplica(url: string, main: ServerTarget): ServerTarget {
  const source = 'the replicaUrls option';
  return replicaOf(main, parseConnectionUrl(url, source), withoutEmpty(processEnvironment()), source);
}
