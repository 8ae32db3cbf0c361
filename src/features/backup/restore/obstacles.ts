import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';

/** What a backup needs of the server it is restored to. */
export interface Needs {
  /** Owners, grantees, roles of policies. */
  readonly roles: readonly string[];
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
  readonly isSuperuser: boolean;
  readonly canCreateDatabases: boolean;
  readonly roles: readonly { readonly name: string; readonly isUsable: boolean }[];
  readonly extensions: readonly {
    readonly name: string;
    readonly defaultVersion: string;
    readonly versions: readonly string[];
    readonly needsSuperuser: boolean;
  }[];
  /** Undefined where the server's disk cannot be seen from here. */
  readonly freeBytes: number | undefined;
}

/** One thing that stands in the way, and what mends it. */
export interface Obstacle {
  readonly problem: string;
  readonly mend: string;
}

export interface ObstacleOptions {
  readonly withoutOwners: boolean;
  /** Roles that the run itself will create. */
  readonly rolesToCreate: readonly string[];
  /** False for one table, which goes into a database that is there. */
  readonly createsDatabase: boolean;
}

/** PUBLIC and the roles that every server brings. */
export function isBuiltInRole(name: string): boolean {
  return name === '' || name.toLowerCase() === 'public' || name.startsWith('pg_');
}

function roleObstacles(needs: Needs, facts: TargetFacts, options: ObstacleOptions): readonly Obstacle[] {
  const known = new Map(facts.roles.map(({ name, isUsable }) => [name, isUsable]));
  return needs.roles
    .filter((name) => !isBuiltInRole(name) && !options.rolesToCreate.includes(name))
    .flatMap((name): readonly Obstacle[] => {
      const isUsable = known.get(name);
      if (isUsable === undefined)
        return [
          {
            problem: `role ${quoteIdentifier(name)} is missing`,
            mend: `create role ${quoteIdentifier(name)} nologin; or give --globals or --create-roles`,
          },
        ];
      if (isUsable || options.withoutOwners) return [];
      return [
        {
          problem: `${quoteIdentifier(facts.roleName)} is no member of role ${quoteIdentifier(name)}, so it cannot give it anything`,
          mend: `grant ${quoteIdentifier(name)} to ${quoteIdentifier(facts.roleName)};`,
        },
      ];
    });
}

function extensionObstacles(needs: Needs, facts: TargetFacts): readonly Obstacle[] {
  const offered = new Map(facts.extensions.map((extension) => [extension.name, extension]));
  return needs.extensions.flatMap(({ name, version }): readonly Obstacle[] => {
    const offer = offered.get(name);
    if (offer === undefined)
      return [
        {
          problem: `extension ${quoteIdentifier(name)}${version === null ? '' : ` ${version}`} is not installed on the server`,
          mend: `install its package for PostgreSQL ${facts.serverMajor} on the server`,
        },
      ];
    if (!offer.needsSuperuser || facts.isSuperuser) return [];
    return [
      { problem: `only a superuser can create extension ${quoteIdentifier(name)}`, mend: 'restore as a superuser' },
    ];
  });
}

/** Everything that stands in the way of a restore, all at once; empty when it can begin. */
export function findObstacles(needs: Needs, facts: TargetFacts, options: ObstacleOptions): readonly Obstacle[] {
  const found: Obstacle[] = [];
  if (facts.serverMajor < needs.serverMajor)
    found.push({
      problem: `the backup comes from PostgreSQL ${needs.serverMajor}, the server is the older ${facts.serverMajor}`,
      mend: `restore it on PostgreSQL ${needs.serverMajor} or newer`,
    });
  if (options.createsDatabase && !facts.canCreateDatabases)
    found.push({
      problem: `role ${quoteIdentifier(facts.roleName)} may not create databases`,
      mend: `alter role ${quoteIdentifier(facts.roleName)} createdb;`,
    });
  if (options.createsDatabase && needs.sizeBytes !== undefined && (facts.freeBytes ?? Infinity) < needs.sizeBytes)
    found.push({
      problem: `the database had ${formatBytes(needs.sizeBytes)}, and the server's disk has ${formatBytes(facts.freeBytes ?? 0)} left`,
      mend: 'free some space first',
    });
  return [...found, ...roleObstacles(needs, facts, options), ...extensionObstacles(needs, facts)];
}

/** Extensions that come in another version than the backup had; a restore goes on. */
export function otherVersions(needs: Needs, facts: TargetFacts): readonly string[] {
  return needs.extensions.flatMap(({ name, version }) => {
    const offer = facts.extensions.find((extension) => extension.name === name);
    return offer === undefined || version === null || offer.defaultVersion === version
      ? []
      : [`extension ${quoteIdentifier(name)} will be ${offer.defaultVersion}; the backup had ${version}`];
  });
}

/** @throws AisecError RESTORE_BLOCKED naming all of them. */
export function refuseObstacles(obstacles: readonly Obstacle[], target: string): void {
  if (obstacles.length === 0) return;
  const count = obstacles.length === 1 ? 'one thing stands' : `${obstacles.length} things stand`;
  throw new AisecError('RESTORE_BLOCKED', `${count} in the way of restoring to ${target}`, {
    detail: obstacles.map(({ problem, mend }) => `${problem}\n    mend: ${mend}`).join('\n  '),
    hint: 'Nothing was touched. Mend them all and run the command again.',
  });
}
