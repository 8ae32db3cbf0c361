import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { foundInUp, type MigrationFile } from './files/migration-file.js';
import { refuseShadows } from './shadows.js';
import { shellWord } from '../../base/package/aisec-command.js';

interface ExtensionRow {
  readonly name: string;
  readonly available: boolean;
  readonly installed_schema: string | null;
  readonly may_use: boolean;
  readonly may_create: boolean;
}

interface PreflightRow {
  readonly role_name: string;
  readonly schema_exists: boolean;
  readonly can_create_in_schema: boolean;
  readonly can_create_schema: boolean;
  readonly is_read_only: boolean;
  readonly server_encoding: string;
  readonly extensions: readonly ExtensionRow[] | null;
  readonly missing_roles: readonly string[];
  readonly can_create_role: boolean;
}

export interface PreflightOptions {
  readonly schema: string;
  readonly extensionSchema: string;
}

/** The names that the Up sections create: `create extension if not exists vector`, `create role authenticated`. */
function namesCreated(files: readonly MigrationFile[], kind: 'extension' | 'role'): readonly string[] {
  return foundInUp(files, new RegExp(`create\\s+${kind}\\s+(?:if\\s+not\\s+exists\\s+)?"?([a-z_][a-z0-9_]*)"?`, 'gi'));
}

/** The search_path has one schema beside the platform's, so no setting would find both. */
function refuseScattered(
  { info: { label } }: Session,
  extensions: readonly ExtensionRow[],
  { schema }: PreflightOptions,
): void {
  const elsewhere = extensions.flatMap(({ name, installed_schema: installed }) =>
    installed === null || installed === schema || installed === 'pg_catalog' ? [] : [{ name, installed }],
  );
  const [first] = elsewhere;
  const other = elsewhere.find(({ installed }) => installed !== first?.installed);
  if (first === undefined || other === undefined) return;
  throw new AisecError(
    'CONFIG_INVALID',
    `the extensions "${first.name}" and "${other.name}" are in different schemas of ${label}`,
    {
      detail: `They are in "${first.installed}" and "${other.installed}". No changes were made.`,
      hint: `Let their owner run: alter extension ${quoteIdentifier(other.name)} set schema ${quoteIdentifier(first.installed)};`,
    },
  );
}

function refuseExtension(session: Session, extension: ExtensionRow, role: string, options: PreflightOptions): void {
  const { name, available, installed_schema: installedSchema, may_create: mayCreate } = extension;
  const { label, serverVersion } = session.info;
  if (installedSchema !== null && ![options.schema, options.extensionSchema, 'pg_catalog'].includes(installedSchema)) {
    throw new AisecError(
      'CONFIG_INVALID',
      `extension "${name}" is installed in schema "${installedSchema}" of ${label}, where the migrations would not find it`,
      {
        hint: `Set AISEC_EXTENSION_SCHEMA=${shellWord(installedSchema)}.`,
      },
    );
  }
  if (installedSchema !== null && !extension.may_use) {
    throw new AisecError(
      'PRIVILEGE_MISSING',
      `this role may not use the schema "${installedSchema}" of ${label}, where the extension "${name}" is`,
      {
        hint: `Let its owner run: grant usage on schema ${quoteIdentifier(installedSchema)} to ${quoteIdentifier(role)};`,
      },
    );
  }
  if (installedSchema !== null) return;
  if (!available) {
    throw new AisecError('EXTENSION_MISSING', `the server of ${label} does not offer the extension "${name}"`, {
      hint:
        name === 'vector'
          ? `Install pgvector on the server (Debian: postgresql-${Math.floor(serverVersion / 10_000)}-pgvector; image: pgvector/pgvector).`
          : 'Install it on the server (Debian: postgresql-contrib).',
    });
  }
  if (mayCreate) return;
  throw new AisecError('PRIVILEGE_MISSING', `this role may not create the extension "${name}" in ${label}`, {
    hint: `Let a superuser run there: create extension ${name} with schema ${quoteIdentifier(options.extensionSchema)};`,
  });
}

/** Texts of migrations and rows are UTF-8. @throws AisecError DATABASE_UNSUPPORTED. */
export function refuseEncoding(label: string, encoding: string): void {
  if (encoding === 'UTF8') return;
  throw new AisecError('DATABASE_UNSUPPORTED', `${label} has the encoding ${encoding}, and aisec needs UTF8`, {
    hint: `Make a new one: create database NAME template template0 encoding 'UTF8'; No changes were made.`,
  });
}

/**
 * Refuses before anything is changed when the role or the server lacks something the pending migrations need.
 *
 * @throws AisecError EXTENSION_MISSING, PRIVILEGE_MISSING, DATABASE_READ_ONLY, DATABASE_UNSUPPORTED, CONFIG_INVALID,
 *   MIGRATION_BLOCKED.
 */
export async function preflight(
  session: Session,
  pending: readonly MigrationFile[],
  options: PreflightOptions,
): Promise<void> {
  const { rows } = await session.query<PreflightRow>(sqlFile('migrate/preflight'), [
    options.schema,
    namesCreated(pending, 'extension'),
    namesCreated(pending, 'role'),
  ]);
  const [facts] = rows;
  if (facts === undefined) throw new Error('the server did not answer the preflight query');
  const { label, databaseName } = session.info;
  if (facts.is_read_only) {
    throw new AisecError('DATABASE_READ_ONLY', `${label} accepts no writes`, {
      hint: 'It is a standby or set to read only; use the primary.',
    });
  }
  const { role_name: role } = facts;
  refuseEncoding(label, facts.server_encoding);
  if (!facts.schema_exists && !facts.can_create_schema) {
    throw new AisecError('PRIVILEGE_MISSING', `this role may not create the schema "${options.schema}" in ${label}`, {
      hint: `Let the owner run: grant create on database ${quoteIdentifier(databaseName)} to ${quoteIdentifier(role)};`,
    });
  }
  if (facts.schema_exists && !facts.can_create_in_schema) {
    throw new AisecError(
      'PRIVILEGE_MISSING',
      `this role may not create tables in the schema "${options.schema}" of ${label}`,
      {
        hint: `Let the owner run: grant create, usage on schema ${quoteIdentifier(options.schema)} to ${quoteIdentifier(role)};`,
      },
    );
  }
  refuseScattered(session, facts.extensions ?? [], options);
  for (const extension of facts.extensions ?? []) refuseExtension(session, extension, role, options);
  const [missingRole] = facts.missing_roles;
  if (missingRole !== undefined && !facts.can_create_role) {
    throw new AisecError(
      'PRIVILEGE_MISSING',
      `the role "${missingRole}" does not exist and this role may not create it`,
      {
        hint: `Let an administrator run: create role ${quoteIdentifier(missingRole)} nologin;`,
      },
    );
  }
  await refuseShadows(session, pending, options);
}
