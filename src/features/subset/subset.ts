import { refuseWithoutUsers } from '../../adapters/catalog/refuse-without-users.js';
import { displayName, tableIn, tableKey, type TablePlace } from '../../adapters/catalog/references/reference.js';
import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { parseStatements } from '../../adapters/sql-parser/statements.js';
import { AisecError } from '../../base/errors.js';
import { refuseFindings } from '../../base/refuse-findings.js';
import type { Reporting } from '../../base/reporting.js';
import { migrateUp, type MigrateSettings } from '../migrate/index.js';
import { Masker } from './mask/masker.js';
import { readOriginals } from './proof/read-originals.js';
import { scanResult, type ScanResult } from './proof/scan.js';
import { withSlice, type Slice, type UsersWanted } from './read/slice.js';
import { loadSlice } from './write/load.js';
import { requireEmptyTarget } from './write/target.js';

export interface SubsetOptions {
  readonly migrations: MigrateSettings;
  readonly wanted: UsersWanted;
  readonly without: readonly TablePlace[];
  readonly isMasked: boolean;
  /** Secret that masks come from; undefined: a random one. */
  readonly maskKey: string | undefined;
  /** What every user of the result logs in with; undefined: nothing. */
  readonly password: string | undefined;
  readonly isDryRun: boolean;
  readonly waitMs: number;
}

/** Rows of one table. */
export interface SubsetTable {
  /** With schema. */
  readonly table: string;
  readonly rows: number;
}

export interface SubsetResult {
  readonly database: string;
  /** Where the rows are now; null in a dry run. */
  readonly target: string | null;
  readonly isDryRun: boolean;
  readonly isMasked: boolean;
  /** That were chosen; the rows of others are there as far as the chosen ones refer to them. */
  readonly users: number;
  readonly tables: readonly SubsetTable[];
  readonly rows: number;
  /** That no original stands in the result; null in a dry run and without masks. */
  readonly check: ScanResult | null;
  /** How long the snapshot of the source was held. */
  readonly snapshotMs: number;
  readonly durationMs: number;
}

/** Opens the target and publishes what the callback has written there, or removes it when it throws. */
export type WithTarget = <Result>(use: (target: Session) => Promise<Result>) => Promise<Result>;

/** @throws AisecError USAGE for what is not one condition. */
async function requireCondition(wanted: UsersWanted): Promise<void> {
  if (!('condition' in wanted)) return;
  const parsed = await parseStatements(`select from users where (${wanted.condition}\n)`);
  if (!('error' in parsed) && parsed.statements.length === 1 && parsed.statements[0]?.node === 'SelectStmt') return;
  throw new AisecError('USAGE', `invalid condition "${wanted.condition}", expected one SQL condition`, {
    detail: 'error' in parsed ? `${parsed.error.message}.` : 'It is several statements.',
    hint: `Such as: --where "email like '%@example.com'"`,
  });
}

async function passwordHash(target: Session, { password, migrations }: SubsetOptions): Promise<string | undefined> {
  if (password === undefined) return undefined;
  const { rows } = await target.query<{ hash: string }>(
    `select ${tableIn(migrations.schema, 'hash_password')}($1) as hash`,
    [password],
  );
  return rows[0]?.hash;
}

async function write(
  source: Session,
  slice: Slice,
  options: SubsetOptions,
  target: Session,
  reporting: Reporting,
): Promise<{ readonly target: string; readonly check: ScanResult | null }> {
  const { migrations, isMasked, maskKey, waitMs } = options;
  const { schema } = migrations;
  const { onProgress } = reporting;
  const locks = { lockTimeoutMs: 2000, maxWaitMs: 30_000, waitMs };
  await migrateUp(target, { ...migrations, to: undefined, allowsLate: false, ...locks }, reporting);
  return withTransaction(target, async () => {
    await requireEmptyTarget(target, slice, schema);
    if (!isMasked) {
      await loadSlice(source, target, slice, { schema, masker: undefined, onProgress });
      return { target: target.info.label, check: null };
    }
    onProgress('reading what must be masked');
    const originals = await readOriginals(source, slice);
    const masker = new Masker({ key: maskKey, passwordHash: await passwordHash(target, options), originals });
    await loadSlice(source, target, slice, { schema, masker, onProgress });
    onProgress('looking for originals in the result');
    return { target: target.info.label, check: await scanResult(target, source, slice, originals) };
  });
}

/**
 * Copies users with all that belongs to them into an empty database, masked, and looks through the result for originals.
 * All of it is one transaction there: stopped anywhere, nothing of it is left.
 *
 * @throws AisecError SUBSET_REFUSED for columns without a class, and for a target with rows or without the tables;
 *   SUBSET_UNMASKED; MIGRATION_PENDING for a source without users; USAGE for what is no condition.
 */
export async function makeSubset(
  source: Session,
  withTarget: WithTarget,
  options: SubsetOptions,
  reporting: Reporting,
): Promise<SubsetResult> {
  const startedMs = performance.now();
  const { migrations, wanted, without, isMasked, isDryRun } = options;
  await requireCondition(wanted);
  await refuseWithoutUsers(source, migrations.schema);
  let heldMs = 0;
  const made = await withSlice(
    source,
    { schema: migrations.schema, wanted, without: without.map(tableKey) },
    reporting.onProgress,
    async (slice) => {
      const beganMs = performance.now();
      if (slice.users === 0)
        throw new AisecError('SUBSET_REFUSED', 'no user meets the condition', {
          hint: `See who there is: select id, username from ${tableIn(migrations.schema, 'users')} limit 10;`,
        });
      if (isMasked) refuseFindings('SUBSET_REFUSED', 'cannot mask the rows', slice.findings);
      const tables = slice.keys
        .map((key): SubsetTable => ({ table: displayName(key), rows: slice.counts.get(key) ?? 0 }))
        .toSorted((one, other) => (one.table < other.table ? -1 : 1));
      const done = isDryRun
        ? { target: null, check: null }
        : await withTarget((target) => write(source, slice, options, target, reporting));
      heldMs = Math.round(performance.now() - beganMs);
      return { users: slice.users, tables, ...done };
    },
  );
  return {
    database: source.info.label,
    isDryRun,
    isMasked,
    ...made,
    rows: made.tables.reduce((sum, { rows }) => sum + rows, 0),
    snapshotMs: heldMs,
    durationMs: Math.round(performance.now() - startedMs),
  };
}
