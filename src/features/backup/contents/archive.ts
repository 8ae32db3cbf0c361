import { AisecError } from '../../../base/errors.js';
import { parseStatements, type Statement } from '../../../adapters/sql-parser/statements.js';
import type { ServerAccess } from '../access.js';
import { parseToc, type Toc, type TocEntry } from './toc.js';

/** Of the definitions of an archive, or of some of them. */
export interface ArchiveRoles {
  /** Owners, grantees, roles of policies and of default privileges. */
  readonly roles: readonly string[];
  /** What --no-owner makes unnecessary. */
  readonly owners: readonly string[];
  /** What --no-privileges makes unnecessary. */
  readonly grantees: readonly string[];
  /** Those of them that every restore needs, such as the roles of policies. */
  readonly indispensableRoles: readonly string[];
}

/** What an archive says of itself; no server is asked. */
export interface Archive extends ArchiveRoles {
  readonly toc: Toc;
  readonly extensions: readonly string[];
  readonly vectorIndexes: readonly ArchivedVectorIndex[];
}

/** Names as they are, not quoted. */
export interface ArchivedVectorIndex {
  readonly schema: string;
  readonly table: string;
  readonly index: string;
}

interface Relation {
  readonly schemaname?: string;
  readonly relname?: string;
}

/** Every role that a statement names, wherever in it. */
function* rolesIn(tree: unknown): Generator<string> {
  if (typeof tree !== 'object' || tree === null) return;
  const { roletype, rolename } = tree as { roletype?: unknown; rolename?: unknown };
  if (roletype === 'ROLESPEC_CSTRING' && typeof rolename === 'string') yield rolename;
  for (const part of Object.values(tree)) yield* rolesIn(part);
}

/** What `pg_restore --no-privileges` leaves out. */
function isGrant({ node }: Statement): boolean {
  return ['GrantStmt', 'GrantRoleStmt', 'AlterDefaultPrivilegesStmt'].includes(node);
}

/** What `pg_restore --no-owner` leaves out. */
function isOwnership({ node, text }: Statement): boolean {
  return node === 'AlterOwnerStmt' || / OWNER TO (?:"(?:[^"]|"")*"|\S+)$/.test(text);
}

function rolesOf(statements: readonly Statement[]): readonly string[] {
  return [...new Set(statements.flatMap(({ tree }) => [...rolesIn(tree)]))].toSorted();
}

/** The role that restores must belong to them: owners, and those whose default privileges are set. */
function ownersIn(statements: readonly Statement[]): readonly string[] {
  const ofDefaults = statements.flatMap(({ node, tree }) =>
    node === 'AlterDefaultPrivilegesStmt' ? [...rolesIn(tree['options'])] : [],
  );
  return [...new Set([...rolesOf(statements.filter(isOwnership)), ...ofDefaults])].toSorted();
}

function vectorIndex({ node, tree }: Statement): readonly ArchivedVectorIndex[] {
  if (node !== 'IndexStmt' || !['hnsw', 'ivfflat'].includes(String(tree['accessMethod']))) return [];
  const { schemaname: schema = '', relname: table = '' } = (tree['relation'] ?? {}) as Relation;
  return [{ schema, table, index: String(tree['idxname']) }];
}

/** The statements that pg_restore or pg_dumpall wrote; `what` they are, as in `the globals file`. @throws AisecError BACKUP_INVALID. */
export async function scriptStatements(script: string, what: string, hint: string): Promise<readonly Statement[]> {
  // psql's own lines, which frame the script since PostgreSQL 17.6.
  const result = await parseStatements(script.replaceAll(/^\\(?:un)?restrict [A-Za-z0-9]+$/gm, ''));
  if ('statements' in result) return result.statements;
  throw new AisecError('BACKUP_INVALID', `${what} cannot be read`, { detail: `${result.error.message}.`, hint });
}

async function readDefinitions(
  access: Pick<ServerAccess, 'pgRestore'>,
  file: string,
  which: readonly string[] = [],
): Promise<readonly Statement[]> {
  const script = await access.pgRestore({ archive: file, args: ['--schema-only', ...which, '--file=-'] });
  return scriptStatements(
    script,
    `the definitions in ${file}`,
    'Restore it with pg_restore, which does not look at them first.',
  );
}

function rolesByUse(statements: readonly Statement[]): ArchiveRoles {
  return {
    roles: rolesOf(statements),
    owners: ownersIn(statements),
    grantees: rolesOf(statements.filter(isGrant)),
    indispensableRoles: rolesOf(statements.filter((statement) => !isOwnership(statement) && !isGrant(statement))),
  };
}

/** The roles that some of the definitions name; `list` is a file for `pg_restore --use-list`. */
export async function readRolesOf(
  access: Pick<ServerAccess, 'pgRestore'>,
  file: string,
  list: string,
): Promise<ArchiveRoles> {
  return rolesByUse(await readDefinitions(access, file, [`--use-list=${list}`]));
}

export function extensionName({ description }: TocEntry): string {
  return description.replace(/^- /, '').trimEnd();
}

/**
 * Reads the table of contents and the definitions of an archive.
 *
 * @throws AisecError PG_TOOL_FAILED, PG_TOOL_MISSING; BACKUP_INVALID for definitions that are no SQL.
 */
export async function readArchive(access: Pick<ServerAccess, 'pgRestore'>, file: string): Promise<Archive> {
  const list = await access.pgRestore({ archive: file, args: ['--list', '--verbose', '--create'] });
  const statements = await readDefinitions(access, file);
  const roles = rolesByUse(statements);
  const toc = parseToc(list, roles.owners);
  return {
    toc,
    ...roles,
    extensions: toc.entries.filter(({ kind }) => kind === 'EXTENSION').map(extensionName),
    vectorIndexes: statements.flatMap(vectorIndex),
  };
}
