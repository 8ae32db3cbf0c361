import { listed } from '../../../../base/count.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { readAppRoles } from './app-roles.js';
import type { Check, Fault, Subject } from '../../check.js';
import { grantee, qualified } from '../../names.js';
import { nameInSql } from '../../../../base/identifier.js';

interface TableRow {
  readonly name: string;
  readonly root: string | null;
  readonly has_row_security: boolean;
  readonly policies: number;
  readonly grantees: readonly string[];
  /** Of those: with more than SELECT. */
  readonly writers: readonly string[];
  readonly truncaters: readonly string[];
}

/** Nothing of users is in them; a role that monitors may read them. */
const OWN_TABLES = /^(?:(?:pgmigrations|aisec_migrations)(?:_[a-z0-9_]+)?|archive_journal|erasures)$/;
/** Their partitions have checks of their own. */
const MESSAGE_ROOTS = ['messages', 'messages_archive'];

async function readTables({ session, schema }: Subject): Promise<readonly TableRow[]> {
  const { rows } = await session.query<TableRow>(sqlFile('doctor/tables'), [schema]);
  return rows.filter(({ root }) => root === null || !MESSAGE_ROOTS.includes(root));
}

function openTo({ name, grantees, writers }: TableRow, appRoles: readonly string[]): readonly string[] {
  const isShut = (role: string): boolean => role === 'public' || appRoles.includes(role) || writers.includes(role);
  return OWN_TABLES.test(name) ? grantees.filter(isShut) : grantees;
}

async function examineOff(subject: Subject): Promise<readonly Fault[]> {
  const [tables, roles] = [await subject.once(readTables), await subject.once(readAppRoles)];
  const appRoles = roles.map(({ name }) => name);
  return tables
    .filter(({ has_row_security: isOn }) => !isOn)
    .flatMap((table): Fault | [] => {
      const open = openTo(table, appRoles);
      const name = nameInSql(table.name);
      const enable = `alter table ${qualified(subject.schema, table.name)} enable row level security;`;
      const fault = { object: name, fix: enable };
      if (table.policies > 0)
        return {
          ...fault,
          message: `${name} has ${table.policies === 1 ? 'a policy' : `${table.policies} policies`}, and row-level security is off`,
          impact: `its policies are not enforced: ${open.length > 0 ? `${listed(open)} can read` : 'any grant opens'} the rows of every user`,
        };
      if (open.length > 0)
        return {
          ...fault,
          message: `${name} has row-level security off, and ${listed(open)} may use it`,
          impact: OWN_TABLES.test(table.name)
            ? 'every row is open to them, whichever user it belongs to'
            : `every row is open to them, whichever user it belongs to. Create the policies that say who may see which row, and then: ${enable} Without a policy they would see none`,
          fix: OWN_TABLES.test(table.name)
            ? `revoke all on table ${qualified(subject.schema, table.name)} from ${open.map(grantee).join(', ')};`
            : null,
        };
      if (OWN_TABLES.test(table.name)) return [];
      return {
        ...fault,
        severity: 'warning',
        message: `${name} has row-level security off`,
        impact: 'only its owner may use it now; the first grant opens every row',
      };
    });
}

async function examineNoPolicy(subject: Subject): Promise<readonly Fault[]> {
  const tables = await subject.once(readTables);
  return tables
    .filter(
      (table) => table.has_row_security && table.policies === 0 && table.root === null && table.grantees.length > 0,
    )
    .map((table) => ({
      object: nameInSql(table.name),
      message: `${nameInSql(table.name)} has row-level security on and no policy, and ${listed(table.grantees)} may use it`,
      impact: 'they find no row and can write none, until the policy that is missing is created',
      fix:
        `revoke all on table ${qualified(subject.schema, table.name)} from ${table.grantees.map(grantee).join(', ')}` +
        ';',
    }));
}

/** Who may do what with the archive has a check of its own. */
async function examineTruncate(subject: Subject): Promise<readonly Fault[]> {
  const tables = await subject.once(readTables);
  return tables
    .filter(
      ({ name, has_row_security: isOn, truncaters }) => isOn && truncaters.length > 0 && name !== 'messages_archive',
    )
    .map(({ name, truncaters }) => ({
      object: nameInSql(name),
      message: `${listed(truncaters)} may truncate ${nameInSql(name)}`,
      impact: 'policies do not restrict TRUNCATE: one statement deletes the rows of every user',
      fix: `revoke truncate on table ${qualified(subject.schema, name)} from ${truncaters.map(grantee).join(', ')};`,
    }));
}

export const ROW_SECURITY_CHECKS: readonly Check[] = [
  {
    id: 'rls-off',
    area: 'security',
    severity: 'critical',
    title:
      'tables, partitioned ones and partitions without row-level security; a warning while no other role may use them',
    examine: examineOff,
  },
  {
    id: 'rls-no-policy',
    area: 'security',
    severity: 'warning',
    title: 'tables with row-level security on, grants, and no policy',
    examine: examineNoPolicy,
  },
  {
    id: 'truncate-granted',
    area: 'security',
    severity: 'critical',
    title: 'tables with row-level security that another role than their owner may truncate',
    examine: examineTruncate,
  },
];
