import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';

/**
 * What changes the meaning of text, the rows that are seen, or how a transaction ends, at PostgreSQL's own defaults:
 * whatever the server, the database or the role sets (ALTER ROLE ... SET), every session of ours works alike.
 * https://www.postgresql.org/docs/17/runtime-config-client.html
 *
 * Left to the site on purpose, because they say where and how bytes are kept and not what they mean: default_tablespace,
 * default_table_access_method (an encrypting one, say), default_toast_compression, synchronous_commit, memory and plans.
 * Messages of the server are never read for their words, so lc_messages, which only a superuser may set, may differ.
 */
const PINNED = {
  // How text is read and written.
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  escape_string_warning: 'on',
  timezone: 'UTC',
  timezone_abbreviations: 'Default',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
  quote_all_identifiers: 'off',
  transform_null_equals: 'off',
  xmlbinary: 'base64',
  xmloption: 'content',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  // Which rows are seen, and what is made.
  row_security: 'on',
  restrict_nonsystem_relation_kind: '',
  gin_fuzzy_search_limit: '0',
  stats_fetch_consistency: 'cache',
  check_function_bodies: 'on',
  createrole_self_grant: '',
  'plpgsql.extra_errors': 'none',
  'plpgsql.check_asserts': 'on',
  // How a transaction begins and ends.
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  transaction_timeout: '0',
  idle_session_timeout: '0',
  exit_on_error: 'off',
  client_min_messages: 'notice',
  // Where Citus is loaded. A schema is distributed when it is complete, since policies with subqueries cannot come afterwards.
  'citus.enable_schema_based_sharding': 'off',
  'citus.enable_unsafe_triggers': 'on',
  // Only a superuser may set it: the last one, so that all others hold when it is refused.
  session_replication_role: 'origin',
} as const;

export type SessionSettings = Readonly<Record<string, string>>;

/**
 * Those that pg_restore leaves to its role and to the database: the first three end it, with the others rows and
 * definitions are read otherwise than they were written. Every server knows them, and every role may set them.
 */
export const RESTORING_SETTINGS: SessionSettings = {
  default_transaction_read_only: PINNED.default_transaction_read_only,
  default_transaction_isolation: PINNED.default_transaction_isolation,
  default_transaction_deferrable: PINNED.default_transaction_deferrable,
  array_nulls: PINNED.array_nulls,
  datestyle: PINNED.datestyle,
  intervalstyle: PINNED.intervalstyle,
  timezone: PINNED.timezone,
  transform_null_equals: PINNED.transform_null_equals,
};

export interface PinOptions {
  readonly schema: string;
  readonly extensionSchema: string;
  /** 0 means no limit, for each of the three. */
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** The session search_path: the platform's schema, then the extensions', and pg_temp last so that it shadows nothing. */
export function searchPath(schema: string, extensionSchema: string): string {
  const schemas = schema === extensionSchema ? [schema] : [schema, extensionSchema];
  return [...schemas.map(quoteIdentifier), 'pg_temp'].join(', ');
}

/** Every setting that a session of ours has whatever the server, the database or the role says. */
export function pinnedSettings(options: PinOptions): SessionSettings {
  return {
    search_path: searchPath(options.schema, options.extensionSchema),
    lock_timeout: String(options.lockTimeoutMs),
    statement_timeout: String(options.statementTimeoutMs),
    idle_in_transaction_session_timeout: String(options.idleTimeoutMs),
    ...PINNED,
  };
}

/**
 * Sets what differs, and what this server knows: most of it costs nothing, and needs no privilege where it is at its
 * default. `rows` gives `name` and `value`. Every name is qualified, since the search_path is not pinned yet.
 */
export function pinExpression(rows: string): string {
  return `(
    select pg_catalog.count(pg_catalog.set_config(wanted.name, wanted.value, false))
    from ${rows} as wanted (name, value)
    where pg_catalog.current_setting(wanted.name, true) operator(pg_catalog.<>) wanted.value
  )`;
}

/**
 * The settings as a query with everything in it, to be sent together with other statements. It goes with each migration:
 * one text of JSON costs the server half of what forty rows of VALUES do.
 */
export function pinQuery(settings: SessionSettings): string {
  return `select ${pinExpression(`pg_catalog.json_each_text(${quoteLiteral(JSON.stringify(settings))})`)};`;
}
