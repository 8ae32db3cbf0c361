/** Every setting once: its flag, its environment variable, its default. Help, documentation and parsing read it here. */
export interface Setting {
  readonly flag?: string;
  readonly env: string;
  readonly description: string;
  readonly default?: string;
  /** The flag may be given several times; the values are joined with commas. */
  readonly isRepeatable?: boolean;
}

export const SETTINGS = {
  databaseUrl: {
    flag: '--database-url <url>',
    env: 'DATABASE_URL',
    description: 'PostgreSQL server to work on (a flag may not carry a password)',
  },
  databaseUrlFile: {
    flag: '--database-url-file <file>',
    env: 'AISEC_DATABASE_URL_FILE',
    description: 'file whose first line is the URL',
  },
  role: {
    flag: '--role <name>',
    env: 'AISEC_ROLE',
    description: 'role to work as, which the one that logs in is a member of; it owns what is created',
  },
  waitForDatabase: {
    flag: '--wait-for-database <duration>',
    env: 'AISEC_WAIT_FOR_DATABASE',
    description: 'how long to wait for a server that is not up yet or has no connection left',
    default: '0',
  },
  schema: {
    flag: '--schema <name>',
    env: 'AISEC_SCHEMA',
    description:
      "schema the platform lives in; several, where a command has --jobs: a,b, 'tenant_*', or a query that selects names",
    default: 'public',
  },
  extensionSchema: {
    env: 'AISEC_EXTENSION_SCHEMA',
    description: 'schema that missing extensions are created in',
    default: 'public',
  },
  migrationsDir: {
    flag: '--migrations-dir <dir>',
    env: 'AISEC_MIGRATIONS_DIR',
    description:
      'directory of your own migrations, beside the bundled ones; several: NAME=DIR each, repeated or with commas',
    isRepeatable: true,
  },
  seedsDir: {
    flag: '--seeds-dir <dir>',
    env: 'AISEC_SEEDS_DIR',
    description: 'directory of the seed sets (default: the bundled ones)',
  },
  dataDir: {
    env: 'AISEC_DATA_DIR',
    description: 'directory of the embedded database',
    default: '.aisec/pgdata',
  },
  cacheDir: {
    env: 'AISEC_CACHE_DIR',
    description: 'directory of what can be made again at any time: the catalogs that replayed migrations gave',
    default: '.aisec/cache',
  },
  pgBin: {
    env: 'AISEC_PG_BIN',
    description: 'directory of pg_dump and pg_restore (default: PATH, then every installed version)',
  },
  backupDir: {
    env: 'AISEC_BACKUP_DIR',
    description: 'directory of the backups, where --dir is not given',
    default: 'backups',
  },
  storeTimeout: {
    env: 'AISEC_STORE_TIMEOUT',
    description: 'how long a store may be silent until a request is given up, of which each is tried three times',
    default: '30s',
  },
  pingUrl: {
    env: 'AISEC_PING_URL',
    description:
      'where `aisec backup` says that it started (/start), ended, or failed (/fail), as healthchecks.io takes it',
  },
  notifyUrl: {
    env: 'AISEC_NOTIFY_URL',
    description:
      'webhook of Slack, Teams or your own that `aisec doctor --notify` sends new and gone findings to; a secret',
  },
  notifyUrlFile: {
    env: 'AISEC_NOTIFY_URL_FILE',
    description: 'file whose first line is that webhook, where AISEC_NOTIFY_URL is not set',
  },
  adminPassword: {
    env: 'AISEC_ADMIN_PASSWORD',
    description: 'password that `aisec seed` gives the new admin user',
  },
  maskKey: {
    env: 'AISEC_MASK_KEY',
    description: 'secret that `aisec subset` masks by: the same key masks the same value alike (default: a random one)',
  },
  subsetPassword: {
    env: 'AISEC_SUBSET_PASSWORD',
    description: 'password that every user of a masked subset gets (default: none that works)',
  },
  thresholds: {
    env: 'AISEC_THRESHOLDS',
    description:
      'WARNING:CRITICAL values of the checks of doctor and monitor, where --thresholds is not given: blocked-time=30s:5min,replica-bytes=64MB:1GB',
  },
  redisUrl: {
    env: 'REDIS_URL',
    description: 'Redis 7 that the cache of the read-mostly tables is kept in: redis://host:6379',
  },
  environment: {
    env: 'AISEC_ENV',
    description: '`production` refuses the embedded database and asks before data is lost',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The flags that were given, by setting. */
export type Flags = Readonly<Partial<Record<SettingName, string>>>;

/** Environment variables by name. An empty value counts as not set, as in libpq. */
export type Environment = Readonly<Record<string, string | undefined>>;
