import { formatBytes } from '../../../base/bytes.js';
import type { Finding } from '../../../base/finding.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { refuseFindings } from '../../../base/refuse-findings.js';
import type { LeftOutKinds } from './left-out-kinds.js';

/** What a backup needs of the server it is restored to. */
export interface Requirements {
  /** Owners, grantees, roles of policies. */
  readonly roles: readonly string[];
  /** Those of them that own something: only to these the role must belong. */
  readonly owners: readonly string[];
  /** Those of them that definitions name otherwise than as an owner or a grantee, such as policies. */
  readonly indispensableRoles: readonly string[];
  /** The version is null where only the archive was asked. */
  readonly extensions: readonly { readonly name: string; readonly version: string | null }[];
  readonly serverMajor: number;
  /** Of the database when it was backed up; undefined where the manifest does not say. */
  readonly sizeBytes: number | undefined;
}

/** What the server has. */
export interface TargetFacts {
  readonly roleName: string;
  readonly serverMajor: number;
  readonly canCreateDatabases: boolean;
  readonly roles: readonly { readonly name: string; readonly isUsable: boolean }[];
  readonly extensions: readonly {
    readonly name: string;
    readonly defaultVersion: string;
    readonly versions: readonly string[];
    /** The role may not create it. */
    readonly isRefused: boolean;
  }[];
  /** Undefined where the server's disk cannot be seen from here. */
  readonly freeBytes: number | undefined;
}

export interface PreflightRules extends LeftOutKinds {
  /** Roles that the run itself will create. */
  readonly rolesToCreate: readonly string[];
  /** Whether the command takes --create-roles and --globals. */
  readonly canCreateRoles: boolean;
  /** False for one table, which is restored into a database that exists. */
  readonly createsDatabase: boolean;
}

/** `restore-<kind>:<object>`: what prevents a restore; `object` is quoted, as SQL takes it. */
export function restoreFinding(
  kind: string,
  object: string,
  texts: Pick<Finding, 'message' | 'impact'> & Partial<Pick<Finding, 'fix'>>,
): Finding {
  return { id: `restore-${kind}:${object}`, severity: 'critical', object, fix: null, ...texts };
}

/** PUBLIC and the roles that every server brings. */
export function isBuiltInRole(name: string): boolean {
  return name === '' || name.toLowerCase() === 'public' || name.startsWith('pg_');
}

/** What a missing role costs, and what to do that this command takes. */
function missingRoleImpact(
  name: string,
  { indispensableRoles }: Requirements,
  { withoutOwners, withoutPrivileges, canCreateRoles }: PreflightRules,
): string {
  const ways = canCreateRoles ? ['--create-roles or --globals creates all missing roles'] : [];
  if (indispensableRoles.includes(name)) return ['a policy names it, which cannot be left out', ...ways].join('; ');
  const [what, option] = withoutOwners
    ? ['privileges', '--no-privileges leaves them out']
    : withoutPrivileges
      ? ['objects', '--no-owner leaves owners out']
      : ['objects and privileges', '--no-owner and --no-privileges leave them out'];
  return `its ${what} cannot be restored; ${[...ways, option].join(', ')}`;
}

function roleFindings(needs: Requirements, facts: TargetFacts, rules: PreflightRules): readonly Finding[] {
  const known = new Map(facts.roles.map(({ name, isUsable }) => [name, isUsable]));
  const user = quoteIdentifier(facts.roleName);
  return needs.roles
    .filter((name) => !isBuiltInRole(name) && !rules.rolesToCreate.includes(name))
    .flatMap((name): readonly Finding[] => {
      const [role, isUsable] = [quoteIdentifier(name), known.get(name)];
      if (isUsable === undefined)
        return [
          restoreFinding('role', role, {
            message: `role ${role} is missing`,
            impact: missingRoleImpact(name, needs, rules),
            fix: `create role ${role} nologin;`,
          }),
        ];
      if (isUsable || rules.withoutOwners || !needs.owners.includes(name)) return [];
      return [
        restoreFinding('membership', role, {
          message: `role ${user} is not a member of role ${role}`,
          impact: `${user} cannot make ${role} the owner of anything; --no-owner leaves owners out`,
          fix: `grant ${role} to ${user};`,
        }),
      ];
    });
}

function extensionFindings(needs: Requirements, facts: TargetFacts): readonly Finding[] {
  const offered = new Map(facts.extensions.map((extension) => [extension.name, extension]));
  return needs.extensions.flatMap(({ name, version }): readonly Finding[] => {
    const extension = quoteIdentifier(name);
    const offer = offered.get(name);
    if (offer === undefined)
      return [
        restoreFinding('extension', extension, {
          message: `extension ${extension}${version === null ? '' : ` ${version}`} is not installed on the server`,
          impact: `tables that use it cannot be restored; install its package for PostgreSQL ${facts.serverMajor} on the server`,
        }),
      ];
    if (!offer.isRefused) return [];
    return [
      restoreFinding('extension', extension, {
        message: `role ${quoteIdentifier(facts.roleName)} may not create extension ${extension}`,
        impact:
          'tables that use it cannot be restored; restore as a superuser, or allow the extension in the settings of the provider (rds.extensions, azure.extensions)',
      }),
    ];
  });
}

/** Everything that prevents a restore, all at once; empty when it can begin. */
export function preflightFindings(needs: Requirements, facts: TargetFacts, rules: PreflightRules): readonly Finding[] {
  const found: Finding[] = [];
  const user = quoteIdentifier(facts.roleName);
  if (facts.serverMajor < needs.serverMajor)
    found.push(
      restoreFinding('version', `PostgreSQL ${facts.serverMajor}`, {
        message: `the backup is of PostgreSQL ${needs.serverMajor}, and the server is the older ${facts.serverMajor}`,
        impact: `an older server does not know all of it; restore on PostgreSQL ${needs.serverMajor} or newer`,
      }),
    );
  if (rules.createsDatabase && !facts.canCreateDatabases)
    found.push(
      restoreFinding('createdb', user, {
        message: `role ${user} may not create databases`,
        impact: 'a backup is restored into a database of its own first',
        fix: `alter role ${user} createdb;`,
      }),
    );
  if (rules.createsDatabase && needs.sizeBytes !== undefined && (facts.freeBytes ?? Infinity) < needs.sizeBytes)
    found.push(
      restoreFinding('space', 'disk', {
        message: `the database had ${formatBytes(needs.sizeBytes)}, and the server's disk has ${formatBytes(facts.freeBytes ?? 0)} left`,
        impact: 'the restore would fill the disk, which stops the server; free some space first',
      }),
    );
  return [...found, ...roleFindings(needs, facts, rules), ...extensionFindings(needs, facts)];
}

/** Extensions that come in another version than the backup had; a restore continues. */
export function otherVersions(needs: Requirements, facts: TargetFacts): readonly string[] {
  return needs.extensions.flatMap(({ name, version }) => {
    const offer = facts.extensions.find((extension) => extension.name === name);
    return offer === undefined || version === null || offer.defaultVersion === version
      ? []
      : [`extension ${quoteIdentifier(name)} will be ${offer.defaultVersion}; the backup had ${version}`];
  });
}

/** @throws AisecError RESTORE_BLOCKED naming all of them. */
export function refuseRestore(findings: readonly Finding[], target: string): void {
  refuseFindings('RESTORE_BLOCKED', `cannot restore to ${target}`, findings);
}
