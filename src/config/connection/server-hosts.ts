import { existsSync } from 'node:fs';
import { isIP } from 'node:net';

import { AisecError } from '../../base/errors.js';
import type { ServerConnection } from './server-connection.js';

/** One server of a list. */
export interface ServerHost {
  readonly host: string;
  readonly hostAddress?: string;
  readonly port: string;
}

const DEFAULT_PORT = '5432';
/** Where Debian's and PostgreSQL's own builds put the local socket. */
const SOCKET_DIRECTORIES = ['/var/run/postgresql', '/tmp'];

/** libpq's default: the local socket where there is one, which is how `peer` logins work. */
function defaultHost(port: string): string {
  return SOCKET_DIRECTORIES.find((directory) => existsSync(`${directory}/.s.PGSQL.${port}`)) ?? 'localhost';
}

function checkPort(port: string, source: string): void {
  if (/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535) return;
  throw new AisecError('CONFIG_INVALID', `invalid port "${port}" in ${source}`, {
    hint: 'A port is a number from 1 to 65535.',
  });
}

function unequal(what: string, hosts: number, source: string): AisecError {
  return new AisecError('CONFIG_INVALID', `${what} do not match the ${hosts} hosts in ${source}`, {
    hint: 'The lists of hosts, addresses and ports have equally many entries; one port may stand for all.',
  });
}

/**
 * The servers that `host`, `hostaddr` and `port` name: each may be a list with commas.
 * https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
 *
 * @param portSource where the port stands, when that is another place than that of the hosts
 * @throws AisecError CONFIG_INVALID.
 */
export function hostsOf(connection: ServerConnection, source: string, portSource = source): readonly ServerHost[] {
  const listOf = (text: string | undefined): readonly string[] => text?.split(',').map((each) => each.trim()) ?? [];
  const [names, addresses] = [listOf(connection.host), listOf(connection.hostAddress)];
  const given = listOf(connection.port);
  const count = Math.max(addresses.length > 0 ? addresses.length : names.length, 1);
  if (names.length > 0 && names.length !== count) throw unequal(`${addresses.length} addresses`, names.length, source);
  if (given.length > 1 && given.length !== count) throw unequal(`${given.length} ports`, count, source);
  return Array.from({ length: count }, (_, index) => {
    const port = [given.length > 1 ? given[index] : given[0]].find((each) => each) ?? DEFAULT_PORT;
    checkPort(port, portSource);
    const address = addresses[index] ?? '';
    if (address !== '' && isIP(address) === 0)
      throw new AisecError('CONFIG_INVALID', `invalid address "${address}" of hostaddr in ${source}`, {
        hint: 'It is an IP address; a name goes into host.',
      });
    const name = names[index] ?? '';
    const host = [name, address].find((each) => each !== '') ?? defaultHost(port);
    return { host, port, ...(address !== '' && address !== host && { hostAddress: address }) };
  });
}
