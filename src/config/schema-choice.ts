import { AisecError } from '../base/errors.js';

/** Which schemas a command is to work in, where it is not one that is named. */
export type SchemaChoice =
  /** Names and patterns in the order given; a pattern has `*` and `?`. */
  | { readonly kind: 'names'; readonly names: readonly SchemaName[] }
  /** SQL whose first column names them. */
  | { readonly kind: 'query'; readonly sql: string };

export interface SchemaName {
  readonly text: string;
  readonly isPattern: boolean;
}

/** The limit is PostgreSQL's: a longer name would be cut silently, and pg_ is reserved. @throws AisecError CONFIG_INVALID. */
export function checkSchemaName(name: string, setting: string): string {
  if (Buffer.byteLength(name) <= 63 && !name.startsWith('pg_') && name !== 'information_schema' && !name.includes('\0'))
    return name;
  throw new AisecError('CONFIG_INVALID', `"${name}" cannot be used as ${setting}`, {
    hint: 'A schema name has at most 63 bytes and does not start with pg_.',
  });
}

/** The parts between commas; one in double quotes is a name as it is, `""` a quote in it. */
function partsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|,)\s*("(?:[^"]|"")*"|[^,]*?)\s*(?=,|$)/g)].map((match) => match[1] ?? '');
}

function nameOf(part: string): SchemaName {
  if (part.length > 1 && part.startsWith('"') && part.endsWith('"'))
    return { text: part.slice(1, -1).replaceAll('""', '"'), isPattern: false };
  return { text: part, isPattern: /[*?]/.test(part) };
}

function uniqueNames(names: readonly SchemaName[]): readonly SchemaName[] {
  return [...new Map(names.map((name) => [`${String(name.isPattern)} ${name.text}`, name])).values()];
}

/**
 * Reads the value of `--schema`: one name (`tenant_a`), a list (`tenant_a,tenant_b`), patterns (`tenant_*`), or a query
 * (`select schema_name from public.tenants`).
 *
 * @returns the name where it is one, else the choice
 * @throws AisecError USAGE for a list with an empty part; CONFIG_INVALID for a name that PostgreSQL would not take.
 */
export function readSchemaChoice(value: string): string | SchemaChoice {
  if (/^\s*(?:select|with|values|table)\s/i.test(value)) return { kind: 'query', sql: value };
  const parts = partsOf(value);
  if (parts.includes('') || parts.includes('""'))
    throw new AisecError('USAGE', `the list of schemas "${value}" has an empty name`, {
      hint: "Give names with commas between them, a pattern ('tenant_*'), or a query ('select name from tenants').",
    });
  const names = uniqueNames(parts.map(nameOf));
  for (const { text, isPattern } of names) if (!isPattern) checkSchemaName(text, 'the schema');
  const [only] = names;
  return names.length === 1 && only?.isPattern === false ? only.text : { kind: 'names', names };
}
