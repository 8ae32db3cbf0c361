import { join } from 'node:path';

import { readCatalog } from '../../adapters/catalog/snapshot.js';
import { withPrivateDirectory } from '../../adapters/files/private-directory.js';
import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import type { Session } from '../../adapters/postgres/session.js';
import { listed } from '../../base/count.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import { compareCatalogs, dumpSchema, loadArchive, type ServerAccess } from '../backup/index.js';
import { nodeOf, readCitus, refuseSchema, refuseWithoutCitus } from './citus.js';
import { moveTables, type MovedTenant, type MoveOptions } from './move.js';
import { refuseTables } from './obstacles.js';
import { countRows, lockTables, readTables, refuseDifference, type MovedTable, type TableRow } from './rows.js';

/** DROP SCHEMA would take them along. @throws AisecError DATABASE_UNSUPPORTED. */
function refuseLeaning(schema: string, tables: readonly TableRow[]): void {
  const names = [...new Set(tables.flatMap(({ leaning }) => leaning))];
  if (names.length === 0) return;
  throw new AisecError('DATABASE_UNSUPPORTED', `other schemas need tables of "${schema}": ${listed(names)}`, {
    detail: 'No changes were made.',
    hint: 'Drop them first, and make them again afterwards.',
  });
}

async function prepare(session: Session, schema: string) {
  const tables = await readTables(session, schema);
  refuseTables(schema, tables);
  refuseLeaning(schema, tables);
  // Readers are not held up by it, pg_dump among them.
  await lockTables(session, schema, tables, 'exclusive');
  return { tables, before: await countRows(session, schema, tables) };
}

/**
 * Citus' own way back refuses tables with identity columns, and drops functions and views. So the schema is dumped, dropped and
 * made again on the coordinator, in the one transaction that holds the locks.
 */
async function moveBack(
  access: ServerAccess,
  session: Session,
  { schema, lockTimeoutMs }: MoveOptions,
  { onProgress }: Reporting,
): Promise<readonly MovedTable[]> {
  await session.query('set local client_min_messages = warning');
  const { tables, before } = await prepare(session, schema);
  return withPrivateDirectory('aisec-tenant-', async (directory) => {
    const file = join(directory, 'schema.dump');
    onProgress(`dumping the schema ${schema}`);
    await dumpSchema(access, session, schema, { file, lockTimeoutMs });
    const wanted = await readCatalog(session, { schema });
    await session.query(`drop schema ${quoteIdentifier(schema)} cascade`);
    await loadArchive(access, session, file, onProgress);
    refuseDifference(before, await countRows(session, schema, tables));
    const faults = compareCatalogs(wanted, await readCatalog(session, { schema }), { withGrants: true });
    if (faults.length > 0) throw new Error(`the schema would not be the same on the coordinator: ${faults.join('; ')}`);
    return before;
  });
}

/**
 * Brings a distributed tenant of Citus back to the coordinator, as an ordinary schema, with its rows, in one transaction: what is
 * refused leaves it as it was.
 *
 * @throws AisecError CONFIG_INVALID, DATABASE_UNSUPPORTED, LOCK_TIMEOUT, PG_TOOL_MISSING, PRIVILEGE_MISSING.
 */
export async function undistributeTenant(
  access: ServerAccess,
  session: Session,
  options: MoveOptions & { readonly waitMs: number },
  reporting: Reporting,
): Promise<MovedTenant> {
  const { schema, isDryRun = false } = options;
  return withRunLock(session, { waitMs: options.waitMs, onProgress: reporting.onProgress }, async () => {
    const citus = await readCitus(session, schema);
    refuseWithoutCitus(citus, session.info.label);
    refuseSchema(citus, schema);
    const found = { database: session.info.label, schema, isDryRun, node: await nodeOf(session, schema) };
    if (!citus.is_distributed) return { ...found, isMoved: false, tables: [] };
    const tables = await moveTables(
      session,
      options,
      () => prepare(session, schema),
      () => moveBack(access, session, options, reporting),
    );
    return { ...found, isMoved: true, tables };
  });
}
