import type { CatalogFunction } from '../../../../adapters/catalog/catalog.js';
import { quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';

/** The schemas that names of the snapshot stand for. Other names are found by the search_path. */
export interface FixNames {
  readonly schema: string;
  readonly extensionSchema: string;
}

/** Shorter to read, and as safe: no key word of PostgreSQL has a digit or an underscore next to a letter, but a few. */
const PLAIN = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/;
const WITH_UNDERSCORE = new Set([
  'current_catalog',
  'current_date',
  'current_role',
  'current_schema',
  'current_time',
  'current_timestamp',
  'current_user',
  'session_user',
  'system_user',
]);

/** A name for SQL, without quotes where it is surely no key word. */
export function name(text: string): string {
  return PLAIN.test(text) && !WITH_UNDERSCORE.has(text) ? text : quoteIdentifier(text);
}

export function literal(text: string | null): string {
  return text === null ? 'null' : quoteLiteral(text).trimStart();
}

export function role(grantee: string): string {
  return grantee === 'PUBLIC' ? 'public' : name(grantee);
}

/** `hash_password(text)`, as ALTER, COMMENT and GRANT name it. */
export function signature({ name: functionName, identityArguments }: CatalogFunction): string {
  return `${name(functionName)}(${identityArguments})`;
}

/** The names that `$schema` and `$extensions` of a snapshot stand for. */
export function searchPathOf(path: string, { schema, extensionSchema }: FixNames): string {
  const names = path.split(', ').map((part) => {
    if (part === '$schema') return schema;
    if (part === '$extensions') return extensionSchema;
    return part;
  });
  return names
    .filter((part, index) => part !== names[index - 1])
    .map((part) => (part === 'pg_temp' || part === 'pg_catalog' ? part : quoteIdentifier(part)))
    .join(', ');
}

/** Quoted in a text of its own, with a tag that the text does not have. */
export function dollarQuoted(text: string): string {
  let tag = '$$';
  for (let number = 0; text.includes(tag); number += 1) tag = `$aisec${number}$`;
  return `${tag}${text}${tag}`;
}
