/** What a restore leaves out, as pg_restore has it. */
export interface LeftOutKinds {
  /** --no-owner: everything belongs to the role that restores. */
  readonly withoutOwners: boolean;
  /** --no-privileges: nothing is granted. */
  readonly withoutPrivileges: boolean;
}

/** The options of pg_restore. */
export function leavingOut({ withoutOwners, withoutPrivileges }: LeftOutKinds): readonly string[] {
  return [...(withoutOwners ? ['--no-owner'] : []), ...(withoutPrivileges ? ['--no-privileges'] : [])];
}

/** Whether a statement about a database is one of what is left out: its owner, settings of its roles, its grants. */
export function isLeftOut(statement: string, { withoutOwners, withoutPrivileges }: LeftOutKinds): boolean {
  if (/^(?:GRANT|REVOKE) /.test(statement)) return withoutPrivileges;
  return withoutOwners && (statement.startsWith('ALTER ROLE ') || / OWNER TO /.test(statement));
}
