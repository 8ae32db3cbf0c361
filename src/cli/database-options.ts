/** How a command has its session opened. */
export interface DatabaseOptions {
  /** Another database of the same server. */
  readonly database?: string;
  /** Defaults: 2 s, no limit, 60 s. */
  readonly lockTimeoutMs?: number;
  readonly statementTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  /** What happens when there is no embedded database yet. Default: `existing`. */
  readonly embedded?: 'existing' | 'create' | 'scratch';
  /** It looks at the history of migrations and the catalogs alone, so that one session may see many schemas. */
  readonly seesFewTables?: boolean;
  /** Notices of the server are not shown: what runs there is a means, such as a replay. */
  readonly isSilent?: boolean;
  /** An embedded database that ends with the command, into which no rows are loaded for minutes: compiled once, without optimising. */
  readonly isBrief?: boolean;
  /** The embedded database was asked for by name, even where a server's address is empty. */
  readonly isEmbeddedMeant?: boolean;
}
