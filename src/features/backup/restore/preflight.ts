import { readdir } from 'node:fs/promises';

import type { ServerAccess } from '../access.js';
import { planGlobals } from '../contents/globals.js';
import { isBuiltInRole, otherVersions, preflightFindings } from './findings.js';
import type { RestorableBackup } from '../contents/restorable-backup.js';
import { createClauses, localeFindings, type DatabaseLocale } from '../server/create-database.js';
import { databaseScript } from './restore-into.js';
import { withList } from './entry-list.js';
import { readTargetFacts } from './target-facts.js';
import { readText } from '../../../adapters/files/read.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError } from '../../../base/errors.js';
import type { Finding } from '../../../base/finding.js';
import { packageFile } from '../../../base/package-file.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { LeftOutKinds } from './left-out-kinds.js';

/** Where missing roles come from. `none`: they are named, and nothing is restored. */
export type RoleSource = 'none' | 'globals' | 'bare';

export interface PreflightOptions extends LeftOutKinds {
  readonly roles: RoleSource;
  readonly createsDatabase: boolean;
  /** Null: the command takes none, and no option for roles either. */
  readonly locale?: DatabaseLocale | null | undefined;
}

export interface Preflight {
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
  readonly rolesToCreate: readonly string[];
  readonly roleStatements: readonly string[];
}

async function existingRoles(session: Session): Promise<ReadonlySet<string>> {
  const { rows } = await session.query<{ name: string }>('select rolname::text as name from pg_catalog.pg_roles');
  return new Set(rows.map(({ name }) => name));
}

async function planRoles(
  session: Session,
  backup: RestorableBackup,
  source: RoleSource,
): Promise<{ readonly roles: readonly string[]; readonly statements: readonly string[] }> {
  if (source === 'none') return { roles: [], statements: [] };
  const existing = await existingRoles(session);
  if (source === 'bare') {
    const roles = backup.roles.filter((name) => !isBuiltInRole(name) && !existing.has(name));
    return { roles, statements: roles.map((name) => `create role ${quoteIdentifier(name)} nologin`) };
  }
  if (backup.globalsFile === null)
    throw new AisecError('BACKUP_UNKNOWN', `there is no globals file beside ${backup.file}`, {
      hint: 'Give --create-roles to make the missing roles without login, or create them by hand.',
    });
  return planGlobals(readText(backup.globalsFile), existing);
}

/** The grants in the archive, as SQL: what --no-privileges leaves out. */
async function grantsIn(access: ServerAccess, { file, toc }: RestorableBackup): Promise<readonly string[]> {
  const entries = toc.entries.filter(({ kind }) => kind === 'ACL' || kind === 'DEFAULT ACL');
  if (entries.length === 0) return [];
  const script = await withList(entries, (list) =>
    access.pgRestore({ archive: file, args: [`--use-list=${list}`, '--schema-only', '--file=-'] }),
  );
  return script.split('\n').filter((line) => /^(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) /.test(line));
}

/** Roles that the restored definitions name: owners, grantees, and those that policies name, which cannot be left out. */
function rolesNeeded(
  { indispensableRoles, owners, grantees }: Pick<RestorableBackup, 'indispensableRoles' | 'owners' | 'grantees'>,
  { withoutOwners, withoutPrivileges }: Pick<PreflightOptions, 'withoutOwners' | 'withoutPrivileges'>,
): readonly string[] {
  const needed = [...indispensableRoles, ...(withoutOwners ? [] : owners), ...(withoutPrivileges ? [] : grantees)];
  return [...new Set(needed)].toSorted();
}

/**
 * Locales that the new database needs and the server lacks.
 *
 * @param wanted the one that was asked for; null: the command takes none
 */
async function missingLocales(
  access: ServerAccess,
  session: Session,
  { format, file, toc }: RestorableBackup,
  wanted: DatabaseLocale | null | undefined,
): Promise<readonly Finding[]> {
  if (format === 'sql') return [];
  return localeFindings(session, createClauses(await databaseScript(access, { archive: file, toc })), wanted);
}

/** The commands that change the schema would take it for one that is missing. */
async function unknownMigration({ migration }: RestorableBackup): Promise<readonly string[]> {
  const known = (await readdir(packageFile('migrations'))).map((name) => name.replace(/\.sql$/, ''));
  if (migration === null || known.some((name) => name >= migration)) return [];
  return [
    `the backup has migration "${migration}", which is newer than this version of aisec: update it before "migrate"`,
  ];
}

/** Everything a restore needs to know of the server before it touches anything. */
export async function readPreflight(
  access: ServerAccess,
  session: Session,
  backup: RestorableBackup,
  options: PreflightOptions,
): Promise<Preflight> {
  const { roles: rolesToCreate, statements } = await planRoles(session, backup, options.roles);
  const needs = { ...backup, roles: rolesNeeded(backup, options) };
  const facts = await readTargetFacts(session, needs, access.host);
  const canCreateRoles = options.createsDatabase && options.locale !== null;
  const lost = options.withoutPrivileges ? await grantsIn(access, backup) : [];
  return {
    findings: [
      ...preflightFindings(needs, facts, { ...options, rolesToCreate, canCreateRoles }),
      ...(options.createsDatabase ? await missingLocales(access, session, backup, options.locale) : []),
    ],
    warnings: [
      ...(backup.lacks === undefined ? [] : [`the backup is partial: it lacks ${backup.lacks}`]),
      ...otherVersions(needs, facts),
      ...(await unknownMigration(backup)),
      ...lost.map((grant) => `lost by --no-privileges: ${grant}`),
    ],
    rolesToCreate,
    roleStatements: statements,
  };
}
