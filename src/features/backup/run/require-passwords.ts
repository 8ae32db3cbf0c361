import { AisecError } from '../../../base/errors.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { BackupTools } from '../server/tools.js';
import { quoteIdentifier } from '../../../base/identifier.js';

/** Whether the hashes of passwords may be beside a backup. @throws AisecError USAGE for one that is not encrypted. */
export function requireEncryption(recipients: readonly string[]): void {
  if (recipients.length > 0) return;
  throw new AisecError('USAGE', '--role-passwords requires encryption', {
    detail: 'Passwords can be tried against a hash in plain text.',
    hint: 'Give --encrypt-to KEY or --recipients-file FILE, or leave it out.',
  });
}

/** Of pg_dumpall, which reads them. @throws AisecError PG_TOOL_MISSING. */
export function requireDumpAll({ pgDumpAll, pgDump }: BackupTools): void {
  if (pgDumpAll !== undefined) return;
  throw new AisecError('PG_TOOL_MISSING', '--role-passwords requires pg_dumpall, which was not found', {
    detail: `It should be beside ${pgDump.path}.`,
    hint: 'Install the client programs of PostgreSQL whole, or leave --role-passwords out.',
  });
}

/** Asked before there is a file: pg_dumpall would fail at the end. @throws AisecError PRIVILEGE_MISSING. */
export async function requirePasswordsReadable(session: Session): Promise<void> {
  const { rows } = await session.query<{ is_readable: boolean; role_name: string }>(
    `select pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'select') as is_readable,
            current_user as role_name`,
  );
  const [row] = rows;
  if (row?.is_readable !== false) return;
  const role = quoteIdentifier(row.role_name);
  throw new AisecError('PRIVILEGE_MISSING', `role ${role} may not read the passwords of roles`, {
    hint: `Leave --role-passwords out, back up as a superuser, or let it: grant select on pg_catalog.pg_authid to ${role};`,
  });
}
