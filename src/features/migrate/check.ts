import type { Session } from '../../adapters/postgres/session.js';
import type { Finding } from '../../base/finding.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { listInvalidIndexes, type InvalidIndex } from './apply/invalid-indexes.js';
import { checkMigrations, type MigrateSettings } from './checks.js';

export interface MigrationCheck {
  readonly database: string;
  readonly schema: string;
  /** Every migration is applied as its file says, and no build of an index was left INVALID. */
  readonly isCurrent: boolean;
  readonly findings: readonly Finding[];
}

function indexFinding({ index, table }: InvalidIndex, schema: string): Finding {
  const name = `${quoteIdentifier(schema)}.${quoteIdentifier(index)}`;
  return {
    id: `invalid-index:${index}`,
    severity: 'warning',
    object: index,
    message: `index ${index} on ${table} is INVALID`,
    impact: 'it costs every write and serves no query',
    fix: `reindex index concurrently ${name};`,
  };
}

/**
 * Whether the database is where the migration files are. Reads only; SELECT on the history is enough.
 *
 * @param allowsNewer whether migrations of a newer version are no finding, as after a deployment that was rolled back
 * @throws AisecError PRIVILEGE_MISSING.
 */
export async function checkCurrent(
  session: Session,
  settings: MigrateSettings,
  { allowsNewer }: { readonly allowsNewer: boolean },
): Promise<MigrationCheck> {
  const found = await checkMigrations(session, settings);
  const invalid = await listInvalidIndexes(session, settings.schema);
  const findings = [
    ...found.flatMap(({ kind, ...finding }) => (allowsNewer && kind === 'newer' ? [] : [finding])),
    ...invalid.map((index) => indexFinding(index, settings.schema)),
  ];
  return {
    database: session.info.label,
    schema: settings.schema,
    isCurrent: findings.length === 0,
    findings,
  };
}
