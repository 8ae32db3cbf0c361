import { quoteIdentifier } from '../base/identifier.js';
import type { ServerTarget } from './database-target.js';
import { checkSchemaName } from './schema-choice.js';

export interface SchemaOfService {
  readonly schema: string;
  /** Where vector and pgcrypto are. */
  readonly extensionSchema: string;
}

/** The search_path of a service that knows one schema of the platform: no other one is in it. */
export function searchPathOf({ schema, extensionSchema }: SchemaOfService): string {
  const names = [...new Set([schema, extensionSchema])].map((name) => quoteIdentifier(name));
  return [...names, 'pg_temp'].join(', ');
}

/**
 * The server with sessions that begin in the schema. As a parameter of the connection's start, so that RESET ALL, with which
 * a session is cleaned between two users, leads back to it.
 * https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
 *
 * @throws AisecError CONFIG_INVALID for a name that PostgreSQL would not take.
 */
export function inSchema(target: ServerTarget, given: SchemaOfService): ServerTarget {
  for (const name of [given.schema, given.extensionSchema]) checkSchemaName(name, 'the schema');
  const option = `-c search_path=${searchPathOf(given).replaceAll(/[\\\s]/g, String.raw`\$&`)}`;
  const { options } = target.connection;
  return {
    ...target,
    connection: { ...target.connection, options: options === undefined ? option : `${options} ${option}` },
  };
}
