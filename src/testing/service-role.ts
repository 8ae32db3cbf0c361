import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

import { quoteIdentifier, quoteLiteral } from '../base/identifier.js';
import type { RunQuery } from './clear-tables.js';

const ROUNDS = 4096;

/** What PostgreSQL keeps of a password (RFC 5802), so that the password itself is in no log of the server. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ROUNDS, 32, 'sha256');
  const keyOf = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ROUNDS}:${salt.toString('base64')}$${stored}:${keyOf('Server Key').toString('base64')}`;
}

/**
 * Makes a role as a service has it in production: without privileges until it takes the role `authenticated`, which it does
 * not inherit. With a password it may log in.
 */
export async function createServiceRole(query: RunQuery, role: string, password?: string): Promise<void> {
  const name = quoteIdentifier(role);
  const login = password === undefined ? 'login' : `login password ${quoteLiteral(scramVerifier(password))}`;
  await query(`create role ${name} ${login}`);
  const { rows } = await query(`select from pg_catalog.pg_roles where rolname = 'authenticated'`);
  // Migrations of a team alone need not have it.
  if (rows.length > 0) await query(`grant authenticated to ${name} with inherit false, set true`);
}

/** Drops the role, with the privileges on what the whole server has. */
export async function dropServiceRole(query: RunQuery, role: string): Promise<void> {
  const { rows } = await query(`select from pg_catalog.pg_roles where rolname = ${quoteLiteral(role)}`);
  if (rows.length === 0) return;
  await query(`drop owned by ${quoteIdentifier(role)}`);
  await query(`drop role ${quoteIdentifier(role)}`);
}
