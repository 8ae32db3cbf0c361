import type { CatalogGrant, CatalogPolicy, CatalogTrigger } from '../../../../adapters/catalog/catalog.js';
import { name, role } from './names.js';

export function createPolicy(policy: CatalogPolicy): string {
  const { table, command, permissive, roles, using, check } = policy;
  return [
    `create policy ${name(policy.name)} on ${name(table)}`,
    ...(permissive ? [] : ['  as restrictive']),
    `  for ${command} to ${roles.map(role).join(', ')}`,
    ...(using === null ? [] : [`  using (${using})`]),
    ...(check === null ? [] : [`  with check (${check})`]),
  ].join('\n');
}

export function dropPolicy({ name: policyName, table }: CatalogPolicy): string {
  return `drop policy ${name(policyName)} on ${name(table)}`;
}

const ENABLE = { origin: 'enable', disabled: 'disable', replica: 'enable replica', always: 'enable always' } as const;

export function enableTrigger({ name: triggerName, table, enabled }: CatalogTrigger): string {
  return `alter table ${name(table)} ${ENABLE[enabled]} trigger ${name(triggerName)}`;
}

export function createTrigger(trigger: CatalogTrigger): readonly string[] {
  return trigger.enabled === 'origin' ? [trigger.definition] : [trigger.definition, enableTrigger(trigger)];
}

export function dropTrigger({ name: triggerName, table }: CatalogTrigger): string {
  return `drop trigger ${name(triggerName)} on ${name(table)}`;
}

function targetOf(grant: CatalogGrant, schema: string): string {
  const object = name(grant.object ?? '');
  switch (grant.kind) {
    case 'schema':
      return `schema ${name(schema)}`;
    case 'sequence':
      return `sequence ${object}`;
    case 'function':
      return `routine ${object}(${grant.arguments ?? ''})`;
    case 'type':
      return `type ${object}`;
    case 'table':
    case 'view':
    case 'column':
    case 'default privileges':
      return `table ${object}`;
  }
}

const WITH_GRANT = ' with grant option';

function clause(grant: CatalogGrant, privileges: readonly string[]): string {
  const words = privileges.map((privilege) => privilege.replace(WITH_GRANT, ''));
  return words.map((word) => (grant.column === null ? word : `${word} (${name(grant.column)})`)).join(', ');
}

/** From the privileges of the database to those of the migrations. */
export function changeGrant(
  grant: CatalogGrant,
  before: readonly string[],
  after: readonly string[],
  schema: string,
): readonly string[] {
  const grantee = role(grant.grantee);
  const revoked = before.filter((privilege) => !after.includes(privilege));
  const granted = after.filter((privilege) => !before.includes(privilege));
  const [plain, grantable] = [
    granted.filter((privilege) => !privilege.endsWith(WITH_GRANT)),
    granted.filter((privilege) => privilege.endsWith(WITH_GRANT)),
  ];
  if (grant.kind === 'default privileges') {
    const [, objects = '', owner = ''] = /^(\w+) of (.*)$/.exec(grant.object ?? '') ?? [];
    const alter = `alter default privileges for role ${name(owner)} in schema ${name(schema)}`;
    return [
      ...(revoked.length === 0 ? [] : [`${alter} revoke ${clause(grant, revoked)} on ${objects} from ${grantee}`]),
      ...(plain.length === 0 ? [] : [`${alter} grant ${clause(grant, plain)} on ${objects} to ${grantee}`]),
    ];
  }
  const target = targetOf(grant, schema);
  return [
    ...(revoked.length === 0 ? [] : [`revoke ${clause(grant, revoked)} on ${target} from ${grantee}`]),
    ...(plain.length === 0 ? [] : [`grant ${clause(grant, plain)} on ${target} to ${grantee}`]),
    ...(grantable.length === 0
      ? []
      : [`grant ${clause(grant, grantable)} on ${target} to ${grantee} with grant option`]),
  ];
}
