import { quoteIdentifier } from '../../base/identifier.js';

/** `"app"."users"`. */
export function qualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** A role as GRANT and REVOKE take it; `public` is every role. */
export function grantee(role: string): string {
  return role === 'public' ? 'public' : quoteIdentifier(role);
}
