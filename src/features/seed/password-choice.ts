import { sqlFile } from '../../adapters/postgres/sql-file.js';
import type { Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';
import { generatePassword } from './admin-password.js';
import { ADMIN_PASSWORD_SETTING } from './seed-file.js';

/**
 * Where the admin password of a run comes from. Whether one is needed only the statements know, so they always run with
 * one; `refuse` runs with one that is never shown, and is rolled back when it was used.
 */
export type PasswordChoice =
  | { readonly kind: 'given'; readonly password: string }
  /** `show` is called after the commit; `isCertain` is false when the connection broke at that very moment. */
  | { readonly kind: 'generate'; readonly show: (password: string, isCertain: boolean) => void }
  | { readonly kind: 'refuse' };

/** `null` in a result: the set has no use for one. */
export type PasswordUse = 'given' | 'generated' | 'not-needed';

export function passwordFor(choice: PasswordChoice): string {
  return choice.kind === 'given' ? choice.password : generatePassword();
}

/** Gives the password to the statements of this transaction; as a parameter, so that no text anywhere has it. */
export async function setPasswordForSession(
  session: Session,
  password: string,
  onWarning: (text: string) => void,
): Promise<void> {
  const { rows } = await session.query<{ is_logged: boolean }>(sqlFile('seed/hide-parameters'));
  if (rows[0]?.is_logged === true)
    onWarning(
      'the server logs statements with their parameters (log_statement, log_min_duration_statement), the password too; run this as a superuser, or change the password afterwards',
    );
  await session.query('select pg_catalog.set_config($1, $2, true) is null as is_null', [
    ADMIN_PASSWORD_SETTING,
    password,
  ]);
}

/** @throws AisecError REFUSED when a row was written with a password that would never be shown. */
export function refuseUnseenPassword(choice: PasswordChoice, set: string): void {
  if (choice.kind !== 'refuse') return;
  throw new AisecError('REFUSED', `the seed set "${set}" needs an admin password`, {
    detail: 'None was given, and there is no terminal to show a generated one on. No changes were made.',
    hint: 'Set AISEC_ADMIN_PASSWORD, or give --admin-password-file FILE, whose first line is the password.',
  });
}
