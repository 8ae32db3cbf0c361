import type { CatalogGrant, CatalogPolicy } from '../../../adapters/catalog/catalog.js';
import type { Change } from './change.js';
import { combined, opposite, predicateWidth, setWidth, type Width } from './predicate-width.js';

/** Which side lets more be seen or done. `undecided`: neither includes the other, or the text does not show it. */
export type WiderSide = 'database' | 'migrations' | 'undecided';

const SIDE: Readonly<Record<Width, WiderSide | null>> = {
  wider: 'database',
  narrower: 'migrations',
  unknown: 'undecided',
  equal: null,
};

function rolesWidth(one: CatalogPolicy, other: CatalogPolicy): Width {
  const [first, second] = [one.roles.includes('PUBLIC'), other.roles.includes('PUBLIC')];
  if (first && second) return 'equal';
  if (first) return 'wider';
  return second ? 'narrower' : setWidth(one.roles, other.roles);
}

function commandWidth(one: CatalogPolicy, other: CatalogPolicy): Width {
  if (one.command === other.command) return 'equal';
  if (one.command === 'all') return 'wider';
  return other.command === 'all' ? 'narrower' : 'unknown';
}

/** What a new row must satisfy; without a condition of its own, that of the rows that are seen. */
function checkOf({ check, using, command }: CatalogPolicy): string | null {
  return command === 'select' || command === 'delete' ? null : (check ?? using);
}

async function policyWidth(one: CatalogPolicy | undefined, other: CatalogPolicy | undefined): Promise<Width> {
  if (one === undefined || other === undefined) {
    // A permissive policy adds rows, a restrictive one takes some away.
    const isPermissive = (one ?? other)?.permissive === true;
    return (one === undefined) === isPermissive ? 'narrower' : 'wider';
  }
  if (one.permissive !== other.permissive) return 'unknown';
  const width = combined([
    rolesWidth(one, other),
    commandWidth(one, other),
    await predicateWidth(one.using, other.using),
    await predicateWidth(checkOf(one), checkOf(other)),
  ]);
  if (one.permissive) return width;
  // More rows fall under a restrictive policy of more roles or commands: fewer are seen.
  return combined([
    opposite(rolesWidth(one, other)),
    opposite(commandWidth(one, other)),
    await predicateWidth(one.using, other.using),
    await predicateWidth(checkOf(one), checkOf(other)),
  ]);
}

function privilegesOf(grant: CatalogGrant | undefined): readonly string[] {
  const privileges = grant?.privileges ?? [];
  // What may be granted on may be used as well.
  return [...new Set(privileges.flatMap((privilege) => [privilege, privilege.replace(' with grant option', '')]))];
}

/** Null for what is no question of access. */
export async function widerSide({ live, wanted, differences }: Change): Promise<WiderSide | null> {
  const kind = live?.kind ?? wanted?.kind;
  if (kind === 'policy') {
    const policy = (of: typeof live): CatalogPolicy | undefined => (of?.kind === 'policy' ? of.item : undefined);
    return SIDE[await policyWidth(policy(live), policy(wanted))];
  }
  if (kind === 'grant') {
    const grant = (of: typeof live): CatalogGrant | undefined => (of?.kind === 'grant' ? of.item : undefined);
    return SIDE[setWidth(privilegesOf(grant(live)), privilegesOf(grant(wanted)))];
  }
  const security = differences.filter(({ property }) => /rowLevelSecurity$/i.test(property));
  if (security.length > 0)
    return SIDE[combined(security.map(({ before }) => (before === false ? 'wider' : 'narrower')))];
  const definer = differences.find(({ property }) => property === 'securityDefiner');
  if (definer !== undefined) return definer.before === true ? 'database' : 'migrations';
  const isInvoker = (value: unknown): boolean => Array.isArray(value) && value.includes('security_invoker=true');
  const options = kind === 'view' ? differences.find(({ property }) => property === 'options') : undefined;
  if (options !== undefined && isInvoker(options.before) !== isInvoker(options.after))
    return isInvoker(options.before) ? 'migrations' : 'database';
  return null;
}
