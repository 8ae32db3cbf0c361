import { scriptStatements } from './archive.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';

export interface GlobalsPlan {
  /** Roles that will be created. */
  readonly roles: readonly string[];
  /** To run in order, in one transaction. */
  readonly statements: readonly string[];
}

interface RoleSpec {
  readonly rolename?: string;
}

interface GrantTree {
  readonly is_grant?: boolean;
  readonly granted_roles?: readonly { readonly AccessPriv?: { readonly priv_name?: string } }[];
  readonly grantee_roles?: readonly { readonly RoleSpec?: RoleSpec }[];
}

function createdRole({ node, tree }: Statement): string | undefined {
  return node === 'CreateRoleStmt' && typeof tree['role'] === 'string' ? tree['role'] : undefined;
}

/** The roles a statement is about; undefined for one that is about something else, such as a tablespace. */
function rolesOf(statement: Statement): readonly string[] | undefined {
  const { node, tree } = statement;
  if (node === 'CreateRoleStmt') return [createdRole(statement) ?? ''];
  if (node === 'AlterRoleStmt' || (node === 'AlterRoleSetStmt' && tree['database'] === undefined))
    return [(tree['role'] as RoleSpec | undefined)?.rolename ?? ''];
  if (node !== 'GrantRoleStmt') return undefined;
  const { granted_roles: granted = [], grantee_roles: grantees = [] } = tree as GrantTree;
  return [
    ...granted.map((one) => one.AccessPriv?.priv_name ?? ''),
    ...grantees.map((one) => one.RoleSpec?.rolename ?? ''),
  ];
}

/** The grantor may not exist on the new server, or have no right there; without it, the one who restores grants. */
function withoutGrantor({ node, text }: Statement): string {
  return node === 'GrantRoleStmt' ? text.replace(/ GRANTED BY (?:"(?:[^"]|"")*"|\S+)$/, '') : text;
}

/**
 * What of a globals file (`pg_dumpall --globals-only --no-role-passwords`) a server still needs: the roles it lacks,
 * with attributes, settings and memberships. A role that is there stays as it is.
 *
 * @throws AisecError BACKUP_INVALID for a file that is not SQL.
 */
export async function planGlobals(text: string, existing: ReadonlySet<string>): Promise<GlobalsPlan> {
  const hint = 'Create the roles by hand, or give --create-roles.';
  const all = await scriptStatements(text, 'the globals file', hint);
  const roles = all.flatMap((statement) => {
    const role = createdRole(statement);
    return role === undefined || existing.has(role) ? [] : [role];
  });
  const missing = new Set(roles);
  const statements = all.filter((statement) => rolesOf(statement)?.some((role) => missing.has(role)));
  return { roles, statements: statements.map(withoutGrantor) };
}
