import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import type { Finding } from '../../base/finding.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import type { ServerAccess } from './access.js';
import { qualified } from './contents/toc.js';
import { ErasedUsers } from './erasures/erasure-record.js';
import { beforeName } from './restore/database/database-names.js';
import { restoreFinding } from './restore/findings.js';
import { loadTable, type DanglingRule } from './restore/load-table.js';
import { restorePart, rowsWithout, unknownInBackup, type PartRestoreOptions } from './restore/restore-part.js';
import { selectSchema } from './restore/schema-selection.js';
import { checkTable } from './restore-table.js';

export interface SchemaRestoreOptions extends PartRestoreOptions {
  readonly schema: string;
  readonly dangling: DanglingRule;
  /** Statements of the caller that are committed together with the schema. */
  readonly afterwards: readonly string[];
}

export interface SchemaRestoreResult {
  readonly file: string;
  readonly database: string;
  readonly schema: string;
  readonly isDryRun: boolean;
  /** With their partitions. */
  readonly tables: number;
  readonly rows: number;
  readonly warnings: readonly string[];
}

/** What is there stays: the schema in the backup is older than what was written since. */
async function schemaFindings(session: Session, schema: string): Promise<readonly Finding[]> {
  const { rowCount } = await session.query(sqlFile('backup/names-in-schema'), [schema]);
  if (rowCount === 0) return [];
  const name = quoteIdentifier(schema);
  return [
    restoreFinding('exists', name, {
      message: `schema ${name} is there, with ${rowCount} relations and types`,
      impact:
        'a schema is restored where it is missing, and nothing that is there is changed; keep it under another name',
      fix: `alter schema ${name} rename to ${quoteIdentifier(beforeName(schema, new Date()))};`,
    }),
  ];
}

/**
 * Restores one schema of a backup into the database the session is on, in one transaction; the others are left alone.
 *
 * @param given a path, or the address of a backup in a store
 * @throws AisecError RESTORE_BLOCKED before anything is touched, also when the schema is there; RESTORE_FAILED; BACKUP_UNKNOWN
 *   for a schema that the backup does not have.
 */
export async function restoreSchema(
  access: ServerAccess,
  session: Session,
  given: string,
  options: SchemaRestoreOptions,
  reporting: Reporting,
): Promise<SchemaRestoreResult> {
  const { schema, isDryRun } = options;
  return restorePart(
    access,
    session,
    given,
    options,
    reporting,
    async (backup, isInTarget) => {
      const selection = selectSchema(backup.toc.entries, schema, isInTarget);
      if (selection === undefined) throw unknownInBackup(backup, `schema ${quoteIdentifier(schema)} with tables`);
      return { selection, findings: await schemaFindings(session, schema) };
    },
    async ({ backup, selection, warnings, records }) => {
      const erased = { schema, users: new ErasedUsers(records) };
      const { onProgress } = reporting;
      const loaded = await loadTable(access, backup, selection, { ...options, erased, onProgress });
      const expected = backup.rows.filter((each) => each.schema === schema);
      const wanted = rowsWithout(expected, loaded.leftOut);
      if (!isDryRun) await checkTable(session, selection, selection.tables.map(qualified), wanted, reporting);
      return {
        file: given,
        database: session.info.databaseName,
        schema,
        isDryRun,
        tables: selection.tables.length,
        rows: wanted.reduce((sum, { rows }) => sum + rows, 0),
        warnings: [...warnings, ...loaded.warnings],
      };
    },
  );
}
