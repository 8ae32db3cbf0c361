import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import type { Subject } from '../../check.js';

/** `authenticated`, or a role that may log in and take it. */
export interface AppRole {
  readonly name: string;
  readonly can_log_in: boolean;
  readonly is_superuser: boolean;
  readonly bypasses_rls: boolean;
  readonly inherits: boolean;
  /** The memberships in authenticated that it inherits by: its own, or that of a role between. */
  readonly inherited_by: readonly { readonly role: string; readonly grantor: string | null }[];
  readonly owned_tables: readonly string[];
  readonly main_owner: string | null;
  readonly can_create: boolean;
  readonly reads_password_hash: boolean;
  readonly reads_all_of_users: boolean;
}

/** The roles that services work as. */
export async function readAppRoles({ session, schema }: Subject): Promise<readonly AppRole[]> {
  const { rows } = await session.query<AppRole>(sqlFile('doctor/app-roles'), [schema]);
  return rows;
}
