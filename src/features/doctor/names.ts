import { quoteIdentifier } from '../../base/identifier.js';

/** A name as a person writes it in SQL: quoted only where it has to be. */
export function plainName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteIdentifier(name);
}

/** `"app"."users"`. */
export function qualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** A role as GRANT and REVOKE take it; `public` is every role. */
export function grantee(role: string): string {
  return role === 'public' ? 'public' : quoteIdentifier(role);
}
