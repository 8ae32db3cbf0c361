import { quoteLiteral } from '../../../base/identifier.js';
import type { ConnectionNotes } from './connection-notes.js';

/**
 * Whatever PostgreSQL keeps with a session beyond the transaction. DISCARD ALL would do, but it cannot be sent in one
 * message with COMMIT, and a message of its own may reach another session through a pooler. Role and session
 * authorization are what RESET ALL leaves. All statements but the last run without a plan, 5 µs each.
 */
const CLEAN = [
  'set role none',
  'reset all',
  `set timezone = 'UTC'`,
  'deallocate all',
  'unlisten *',
  'discard temp',
  'discard sequences',
].join('; ');

/** `role` is quoted. */
function cleanAs(role: string | undefined): string {
  return `close all; set session authorization ${role ?? 'default'}; ${CLEAN}`;
}

/** What a role, the database or another client of a pooler has set otherwise. */
const FORMATS = [`set datestyle = 'ISO'`, `set intervalstyle = 'postgres'`, 'set extra_float_digits = 1'];

/** It has a plan and a row, and takes as long as all of the others. */
const UNLOCK = 'select pg_catalog.pg_advisory_unlock_all()';

/** A statement that may take advisory locks, other than within a function of the database. */
export function mayTakeSessionLock(sql: string): boolean {
  return /advisory/i.test(sql);
}

/** Leaves a session as a new connection has it. For the message that ends a transaction. */
export function cleanSession(notes: ConnectionNotes, mayHaveLocks: boolean): string {
  return [
    cleanAs(notes.actsAs),
    ...(notes.needsFormats ? FORMATS : []),
    // A pooler takes the name from the first client of the session.
    ...(notes.isPooled ? [`set application_name = ${quoteLiteral(notes.applicationName)}`] : []),
    ...(mayHaveLocks || notes.takesSessionLocks || notes.isPooled ? [UNLOCK] : []),
  ].join('; ');
}

/**
 * What precedes the BEGIN of a user where statements without one may have left something: in a transaction of its
 * own, for BEGIN's isolation level must be the first word of the next.
 */
export function cleanSessionFirst(notes: ConnectionNotes): string {
  return notes.isPooled || notes.needsCleaning ? `begin; ${cleanSession(notes, true)}; commit; ` : '';
}

/** Leaves a session that is known to no pool as a new connection of the role has it. */
export function resetSession(role: string): string {
  return `${cleanAs(role)}; ${UNLOCK}`;
}
