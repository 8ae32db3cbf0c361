import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import type { Finding } from '../../base/finding.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { refuseFindings } from '../../base/refuse-findings.js';
import { foundInUp, type MigrationFile } from './files/migration-file.js';
import { isBundled } from './files/source.js';
import type { MigrateSettings } from './prepare.js';

interface ShadowRow {
  readonly kind: string;
  readonly identity: string;
  readonly schema: string;
  readonly owner: string;
  readonly of: string;
  readonly is_trusted: boolean;
}

type Where = Pick<MigrateSettings, 'schema'> & { readonly extensionSchema: string };

/** What the Up sections may call; words that no routine has are of no consequence. */
const CALLED = /\b([a-z_]\w*)\s*\(/gi;

/** The same for psql, which has the files and no parameters: an exception at the first one. Empty without bundled migrations. */
export function shadowGuard(files: readonly MigrationFile[], { schema, extensionSchema }: Where): string {
  const bundled = files.filter(isBundled);
  if (bundled.length === 0) return '';
  const arrayOf = (names: readonly string[]): string => `array[${names.map(quoteLiteral).join(', ')}]::text[]`;
  const [schemas, called] = [arrayOf([...new Set([schema, extensionSchema])]), arrayOf(foundInUp(bundled, CALLED))];
  const query = sqlFile('migrate/shadows')
    .replaceAll(/^ *--.*\n/gm, '')
    .replaceAll('$1', () => schemas)
    .replaceAll('$2', () => called);
  return `do $aisec_shadows$
declare
  shadow record;
begin
  for shadow in
${query}
  loop
    raise exception '% % is taken in place of %', shadow.kind, shadow.identity, shadow.of
      using detail = pg_catalog.format('It belongs to role %I, and what the migrations call would do something else.', shadow.owner),
            hint = pg_catalog.format('No changes were made. Run: create schema if not exists %1$I; alter %2$s %3$s set schema %1$I;',
                                     shadow.schema || '_own', shadow.kind, shadow.identity);
  end loop;
end
$aisec_shadows$;
`;
}

function findingOf({ kind, identity, schema, owner, of, is_trusted: isTrusted }: ShadowRow): Finding {
  const place = quoteIdentifier(`${schema}_own`);
  const callers = `what calls it needs ${place} in its search_path after the fix`;
  return {
    id: `shadowed:${identity}`,
    severity: isTrusted ? 'warning' : 'critical',
    object: identity,
    message: `${kind} ${identity} is taken in place of ${of}`,
    impact: isTrusted
      ? `migrations and functions of the platform call ${of} without a schema, and fail or do something else; ${callers}`
      : `code of role ${quoteIdentifier(owner)} runs with the privileges of the role that migrates, and of the owner of the platform's functions; ${callers}`,
    fix: `create schema if not exists ${place};\nalter ${kind} ${identity} set schema ${place};`,
  };
}

/**
 * Routines and operators, not of an extension, that calls of the bundled migrations and their functions find before what they mean. A
 * team's own migrations may well mean its own. Reads only.
 */
export async function shadowFindings(
  session: Session,
  files: readonly MigrationFile[],
  { schema, extensionSchema }: Where,
): Promise<readonly Finding[]> {
  const bundled = files.filter(isBundled);
  if (bundled.length === 0) return [];
  const { rows } = await session.query<ShadowRow>(sqlFile('migrate/shadows'), [
    [...new Set([schema, extensionSchema])],
    foundInUp(bundled, CALLED),
  ]);
  return rows.map(findingOf);
}

/** @throws AisecError MIGRATION_BLOCKED. */
export async function refuseShadows(session: Session, files: readonly MigrationFile[], where: Where): Promise<void> {
  const findings = await shadowFindings(session, files, where);
  refuseFindings('MIGRATION_BLOCKED', `cannot migrate the schema "${where.schema}" of ${session.info.label}`, findings);
}
