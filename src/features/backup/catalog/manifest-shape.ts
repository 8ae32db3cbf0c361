type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isSha256: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const isOneOf =
  (...choices: readonly unknown[]): Check =>
  (value) =>
    choices.includes(value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const hasFields =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name]));
/** A name in the same directory: a writer of the manifest must not reach another file through it. */
const isPlainName: Check = (value) => typeof value === 'string' && /^[^/\\\0]+$/.test(value) && !/^\.\.?$/.test(value);

const isTables = isListOf(hasFields({ schema: isText, table: isText }));

const FIELDS: Readonly<Record<string, Check>> = {
  kind: isOneOf('aisec backup'),
  file: isPlainName,
  database: isText,
  schema: isText,
  origin: (value) =>
    value === undefined ||
    orNull(
      hasFields({
        id: isText,
        label: isText,
        address: (address) => address === undefined || isText(address),
        databaseOid: (oid) => oid === undefined || isCount(oid),
      }),
    )(value),
  createdAt: isTime,
  durationMs: isCount,
  format: isOneOf('custom', 'embedded', 'sql'),
  sizeBytes: isCount,
  databaseSizeBytes: isCount,
  sha256: isSha256,
  compression: orNull(isText),
  serverVersion: isText,
  serverMajor: isCount,
  toolVersion: isText,
  aisecVersion: isText,
  extensions: isListOf(hasFields({ name: isText, schema: isText, version: isText })),
  roles: isListOf(isText),
  rows: isListOf(hasFields({ schema: isText, table: isText, rows: isCount })),
  catalog: orNull(hasFields({ schema: isText, snapshot: (value) => typeof value === 'object' && value !== null })),
  migration: orNull(isText),
  globals: orNull(hasFields({ file: isPlainName, sizeBytes: isCount, sha256: isSha256 })),
  encryption: orNull(hasFields({ recipients: isListOf(isText) })),
  verifications: isListOf(hasFields({ level: isOneOf('read', 'deep'), at: isTime })),
  damage: orNull(hasFields({ at: isTime, reason: isText })),
  isPinned: isFlag,
  standby: (value) =>
    value === undefined || orNull(hasFields({ lagMs: orNull(isCount), unloggedTables: isTables }))(value),
  leftOut: (value) =>
    value === undefined ||
    orNull(
      hasFields({
        isSchemaOnly: isFlag,
        patterns: isListOf(isText),
        tables: isTables,
      }),
    )(value),
  sealed: (value) => value === undefined || hasFields({ data: isText, rowCount: isCount })(value),
  offsite: isListOf(
    hasFields({ url: isText, endpoint: orNull(isText), uploadedAt: isTime, sizeBytes: isCount, sha256: isSha256 }),
  ),
};
const KNOWN_VERSION = 1;

/** What is wrong with a manifest, a full sentence; undefined when it can be used. Further fields are left alone. */
export function manifestFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'It is not JSON object.';
  const manifest = value as Readonly<Record<string, unknown>>;
  const { formatVersion } = manifest;
  if (typeof formatVersion === 'number' && formatVersion > KNOWN_VERSION)
    return `It has format version ${formatVersion}, which a newer aisec writes.`;
  if (formatVersion !== KNOWN_VERSION) return 'Its field "formatVersion" is missing or wrong.';
  const wrong = Object.entries(FIELDS).find(([name, check]) => !check(manifest[name]));
  return wrong === undefined ? undefined : `Its field "${wrong[0]}" is missing or wrong.`;
}
