import type pg from 'pg';

import type { TypeParsers } from '../values/type-parsers.js';

/** What the pool knows of one connection, for as long as it lives. */
export interface ConnectionNotes {
  /** Each transaction may be answered by another session, which other clients use in between. */
  isPooled: boolean;
  /** A function of the database takes advisory locks that outlive the transaction. */
  takesSessionLocks: boolean;
  /** The server has loaded Citus: what is SET LOCAL reaches its nodes only when that is asked for. */
  runsCitus: boolean;
  /** The session would write dates, intervals or numbers otherwise if its settings were reset. */
  needsFormats: boolean;
  applicationName: string;
  /** Statements without a user came since the session was last cleaned. */
  needsCleaning: boolean;
  /** What ended the connection: the server's own word where it gave one. */
  endedBy: unknown;
  /** The role that the session is to be as, other than the one that logged in, in a database that has one session. */
  actsAs: string | undefined;
  /** How its values are read. */
  types: TypeParsers | undefined;
}

const notes = new WeakMap<object, ConnectionNotes>();

function hasSqlState(error: unknown): boolean {
  return /^[0-9A-Z]{5}$/.test((error as { code?: string } | undefined)?.code ?? '');
}

/** The first word counts: after the server's own "terminating connection" comes only that the socket was closed. */
export function noteEnd(known: ConnectionNotes, error: unknown): void {
  if (known.endedBy === undefined || (hasSqlState(error) && !hasSqlState(known.endedBy))) known.endedBy = error;
}

/** The notes of a connection, begun when it is first seen. */
export function notesOf(client: pg.ClientBase): ConnectionNotes {
  const known = notes.get(client);
  if (known !== undefined) return known;
  const begun: ConnectionNotes = {
    isPooled: false,
    takesSessionLocks: false,
    runsCitus: false,
    needsFormats: false,
    applicationName: '',
    needsCleaning: false,
    endedBy: undefined,
    actsAs: undefined,
    types: undefined,
  };
  notes.set(client, begun);
  // pg-pool listens only while a client is idle: one that breaks in a caller's hands would end the process.
  client.on('error', (error) => noteEnd(begun, error));
  return begun;
}
