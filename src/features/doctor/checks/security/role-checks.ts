import { listed } from '../../../../base/count.js';
import { nameInSql, quoteIdentifier } from '../../../../base/identifier.js';
import { readAppRoles, type AppRole } from './app-roles.js';
import type { Check, Fault, Subject } from '../../check.js';
import { qualified } from '../../names.js';

type RoleFault = Omit<Fault, 'object'>;

function roleCheck(
  parts: Pick<Check, 'id' | 'severity' | 'title'>,
  judge: (role: AppRole, subject: Subject) => RoleFault | undefined,
): Check {
  return {
    ...parts,
    area: 'security',
    examine: async (subject) => {
      const roles = await subject.once(readAppRoles);
      return roles.flatMap((role) => {
        const fault = judge(role, subject);
        return fault === undefined ? [] : [{ object: nameInSql(role.name), ...fault }];
      });
    },
  };
}

/** `role app, as which services may log in,`. */
function described({ name, can_log_in: canLogIn }: AppRole): string {
  return name === 'authenticated' && !canLogIn
    ? 'role authenticated'
    : `role ${nameInSql(name)}, which may act as authenticated,`;
}

function ownsFix({ name, owned_tables: tables, main_owner: owner }: AppRole, schema: string): string | null {
  if (owner !== null && owner !== name)
    return tables
      .map((table) => `alter table ${qualified(schema, table)} owner to ${quoteIdentifier(owner)};`)
      .join('\n');
  if (name === 'authenticated') return null;
  return `revoke authenticated from ${quoteIdentifier(name)};`;
}

function inheritFix({ inherited_by: memberships }: AppRole): string {
  return memberships
    .map(({ role, grantor }) => {
      const by = grantor === null ? '' : ` granted by ${quoteIdentifier(grantor)}`;
      return `grant authenticated to ${quoteIdentifier(role)} with inherit false, set true${by};`;
    })
    .join('\n');
}

/** The columns of users that the migrations let authenticated read. REVOKE on a table takes the grants on its columns, too. */
const USER_COLUMNS =
  'id, username, email, first_name, last_name, is_active, is_verified, last_login_at, created_at, updated_at';

function hashFix(users: string, readsAll: boolean): string {
  return readsAll
    ? `begin; revoke select on table ${users} from public, authenticated; ` +
        `grant select (${USER_COLUMNS}) on table ${users} to authenticated; commit;`
    : `revoke select (password_hash) on table ${users} from public, authenticated;`;
}

export const ROLE_CHECKS: readonly Check[] = [
  roleCheck(
    { id: 'app-role-superuser', severity: 'critical', title: 'roles of services that are superusers' },
    (role) =>
      role.is_superuser
        ? {
            message: `${described(role)} is a superuser`,
            impact: 'policies are not enforced for it, and a hole in the service is a hole in the server',
            fix: `alter role ${quoteIdentifier(role.name)} nosuperuser;`,
          }
        : undefined,
  ),
  roleCheck({ id: 'app-role-bypasses-rls', severity: 'critical', title: 'roles of services with BYPASSRLS' }, (role) =>
    role.bypasses_rls
      ? {
          message: `${described(role)} has BYPASSRLS`,
          impact: 'policies are not enforced for it: a service sees the rows of every user',
          fix: `alter role ${quoteIdentifier(role.name)} nobypassrls;`,
        }
      : undefined,
  ),
  roleCheck(
    { id: 'app-role-owns-tables', severity: 'critical', title: 'roles of services that own tables of the schema' },
    (role, { schema }) =>
      role.owned_tables.length > 0
        ? {
            message: `${described(role)} owns ${listed(role.owned_tables.map(nameInSql))}`,
            impact:
              'policies are not enforced for the owner of a table, and it may drop them; the tables belong to the role that migrates, and services log in as a role of their own',
            fix: ownsFix(role, schema),
          }
        : undefined,
  ),
  roleCheck(
    {
      id: 'app-role-inherits',
      severity: 'warning',
      title: 'roles of services that have their privileges without asking for them',
    },
    (role) =>
      role.inherits
        ? {
            message: `${described(role)} inherits its privileges`,
            impact: 'a query outside of withUser works and finds nothing, instead of failing at once',
            fix: inheritFix(role),
          }
        : undefined,
  ),
  roleCheck({ id: 'app-role-logs-in', severity: 'warning', title: 'authenticated may log in by itself' }, (role) =>
    role.name === 'authenticated' && role.can_log_in
      ? {
          message: 'role authenticated may log in',
          impact: 'it is meant to be taken by the login of a service, which says for whom it acts',
          fix: 'alter role authenticated nologin;',
        }
      : undefined,
  ),
  roleCheck(
    { id: 'app-role-creates', severity: 'critical', title: 'roles of services that may create objects in the schema' },
    (role, { schema }) =>
      // One that inherits has it from authenticated, where it is found.
      role.can_create &&
      !role.is_superuser &&
      role.owned_tables.length === 0 &&
      (role.name === 'authenticated' || !role.inherits)
        ? {
            message: `${described(role)} may create objects in schema ${nameInSql(schema)}`,
            impact:
              "a function or table of its own making could be taken for the platform's, and run with more privileges than it has",
            fix: `revoke create on schema ${quoteIdentifier(schema)} from public, ${quoteIdentifier(role.name)};`,
          }
        : undefined,
  ),
  roleCheck(
    { id: 'password-hash-readable', severity: 'critical', title: 'authenticated may read users.password_hash' },
    (role, { schema }) =>
      role.name === 'authenticated' && role.reads_password_hash && role.owned_tables.length === 0
        ? {
            message: 'role authenticated may read users.password_hash',
            impact:
              'hashes can be guessed at leisure, those of an administrator, too, where a policy lets them through',
            fix: hashFix(qualified(schema, 'users'), role.reads_all_of_users),
          }
        : undefined,
  ),
];
