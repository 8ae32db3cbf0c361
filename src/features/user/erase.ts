import { existsSync } from 'node:fs';

import { displayName } from '../../adapters/catalog/references/reference.js';
import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import type { Age } from '../../base/age.js';
import { AisecError } from '../../base/errors.js';
import { refuseFindings } from '../../base/refuse-findings.js';
import type { Reporting } from '../../base/reporting.js';
import { aisecVersion } from '../../base/package/version.js';
import { addToErasureList, hashOfUser, readErasureRecords } from '../backup/index.js';
import type { ErasureCertificate, EmptiedCaches, ErasedTable } from './erase/certificate.js';
import { findHolders, remainingHolders } from './erase/holders.js';
import {
  beginErasure,
  findErasure,
  finishErasure,
  noteErased,
  noteSearched,
  readErasures,
  type JournalEntry,
} from './erase/journal.js';
import type { ErasureChoices, ErasurePlan, SharedRule } from './erase/plan.js';
import { planFor, prepareErasures, tablesNamed } from './erase/prepare.js';
import { eraseRows, type Erasure } from './erase/rounds.js';
import { scanForPerson } from './erase/scan.js';
import { findPerson, requirePerson, type Person } from './graph/find-person.js';

export interface UserEraseOptions {
  /** Id, username or e-mail address. */
  readonly user: string;
  readonly schema: string;
  /** `hand-over=USER` with the id, username or address of the other one. */
  readonly shared: 'refuse' | 'keep' | { readonly handOverTo: string };
  /** Names of tables, with or without schema. */
  readonly anonymise: readonly string[];
  readonly backupDirectory: string | undefined;
  readonly backupsKept: Age | undefined;
  readonly isDryRun: boolean;
  readonly waitMs: number;
  /** How long it keeps trying for rows that others have locked, in all. */
  readonly maxWaitMs: number;
}

export interface UserEraseResult {
  readonly database: string;
  readonly schema: string;
  /** The id. */
  readonly user: string;
  readonly isDryRun: boolean;
  /** `continued`: it was begun before; `present`: it was done before, and the certificate is the one of then. */
  readonly outcome: 'planned' | 'erased' | 'continued' | 'present';
  readonly plan: ErasurePlan | null;
  readonly certificate: ErasureCertificate | null;
}

export interface EraseHooks {
  /** Has it confirmed, once the plan is known and before anything changes. */
  readonly confirm: (plan: ErasurePlan, person: Person) => Promise<void>;
  /** Empties the caches of the user. */
  readonly emptyCaches: (id: string) => Promise<EmptiedCaches>;
  /**
   * Called between two transactions, with the rows that were changed. What it throws ends the run; the next one continues
   * where this one was, in the search at the end, too.
   */
  readonly onBatch?: (rows: number) => void;
}

interface Start {
  readonly person: Person;
  readonly plan: ErasurePlan;
  readonly entry: JournalEntry | undefined;
}

async function sharedRuleOf(session: Session, { shared }: UserEraseOptions): Promise<SharedRule> {
  if (typeof shared === 'string') return shared;
  return { handOverTo: requirePerson(await findPerson(session, shared.handOverTo), shared.handOverTo).id };
}

/** @throws AisecError MIGRATION_PENDING. */
async function requireJournal(session: Session, schema: string): Promise<void> {
  if ((await readErasureRecords(session, schema)) !== undefined) return;
  throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" has no table erasures`, {
    hint: 'Run: aisec migrate up',
  });
}

/** Closes the account, so that services stop answering for it, and notes that the person is being erased. */
async function begin(
  erasure: Erasure,
  { person, plan, entry }: Start,
  backupDirectory: string | undefined,
): Promise<JournalEntry> {
  const { session, schema, choices } = erasure;
  return withTransaction(session, async () => {
    await session.query('update users set is_active = false where id = $1 and is_active', [person.id]);
    const counts = Object.fromEntries(plan.tables.map(({ table, rows }) => [table, rows]));
    const noted = entry ?? (await beginErasure(session, person, choices, counts, plan.months));
    // Before anything is erased: a backup that is restored later must not bring back whom no list names.
    if (backupDirectory !== undefined)
      addToErasureList(backupDirectory, (await readErasureRecords(session, schema)) ?? []);
    return noted;
  });
}

async function certify(
  erasure: Erasure,
  { person }: Start,
  entry: JournalEntry,
  options: UserEraseOptions,
  hooks: EraseHooks,
): Promise<Omit<ErasureCertificate, 'user'>> {
  const { session, schema, choices, onProgress } = erasure;
  onProgress('emptying caches');
  const caches = await hooks.emptyCaches(person.id);
  const after = await planFor(erasure);
  const { onBatch } = hooks;
  const scan = await scanForPerson(session, person, onProgress, entry.options.searched, async (searched) => {
    if (onBatch === undefined) return;
    await noteSearched(session, entry, searched);
    onBatch(0);
  });
  const [noted] = (await readErasures(session)).filter(({ id }) => id === entry.id);
  const erasedAt = noted?.erasedAt ?? new Date().toISOString();
  const { months } = entry;
  const byName = Object.entries(entry.counts).toSorted(([one], [other]) => one.localeCompare(other, 'en'));
  const tables = byName.map(([table, before]): ErasedTable => ({
    table,
    before,
    after: after.tables.find((each) => each.table === table)?.rows ?? 0,
    action: choices.anonymise.map(displayName).includes(table) ? 'anonymise' : 'delete',
  }));
  const { backupDirectory, backupsKept } = options;
  return {
    kind: 'aisec user erasure',
    version: 1,
    subjectHash: entry.subjectHash,
    database: session.info.databaseName,
    schema,
    startedAt: entry.startedAt,
    erasedAt,
    finishedAt: new Date().toISOString(),
    shared: choices.shared,
    tables,
    months,
    columnsScanned: scan.columns,
    hits: scan.hits,
    caches,
    backupDirectory: backupDirectory !== undefined && existsSync(backupDirectory) ? backupDirectory : null,
    holders: await findHolders(session, { schema, backupDirectory, backupsKept, months, erasedAt }),
    findings: [],
    toolVersion: aisecVersion(),
  };
}

function resultOf(
  session: Session,
  options: UserEraseOptions,
  user: string,
  rest: Pick<UserEraseResult, 'outcome' | 'plan' | 'certificate'>,
): UserEraseResult {
  return { database: session.info.label, schema: options.schema, user, isDryRun: options.isDryRun, ...rest };
}

/** The certificate of then, with the files that hold the person now. */
async function presentResult(
  session: Session,
  options: UserEraseOptions,
  id: string,
  certificate: Omit<ErasureCertificate, 'user'>,
): Promise<UserEraseResult> {
  const holders = await remainingHolders(session, options.schema, certificate.holders);
  return resultOf(session, options, id, {
    outcome: 'present',
    plan: null,
    certificate: { ...certificate, holders, user: id },
  });
}

/** A key of 64 bits for the lock of one erasure. */
function lockKey(id: string): string {
  return BigInt.asIntN(64, BigInt(`0x${hashOfUser(id, '').slice(0, 16)}`)).toString();
}

async function erase(
  erasure: Erasure,
  start: Start,
  options: UserEraseOptions,
  hooks: EraseHooks,
): Promise<UserEraseResult> {
  const { session } = erasure;
  const { person, plan } = start;
  // Another run may have begun or ended it before this one had the lock.
  const known = await findErasure(session, person.id);
  if (known !== undefined && known.certificate !== null)
    return presentResult(session, options, person.id, known.certificate);
  const entry = await begin(erasure, { ...start, entry: known }, options.backupDirectory);
  if (entry.erasedAt === null) await eraseRows(erasure, () => noteErased(session, entry));
  const certificate = await certify(erasure, start, entry, options, hooks);
  await finishErasure(session, entry, certificate);
  return resultOf(session, options, person.id, {
    outcome: start.entry === undefined ? 'erased' : 'continued',
    plan,
    certificate: { ...certificate, user: person.id },
  });
}

/**
 * Erases a person: their rows in live and archived months and in all tables that refer to them, batch by batch, the row
 * of users last; then the caches; then it searches for what is left, and makes the certificate. Killed at any moment and
 * run again, it continues. Beside it the person may write, months may be archived, and backups be taken.
 *
 * @throws AisecError USAGE for no such user, ERASE_BLOCKED for rows of others that depend on theirs, PRIVILEGE_MISSING for
 *   a role that would not see all rows, REFUSED without a confirmation, RUN_LOCKED while another run erases the same,
 *   LOCK_TIMEOUT where others kept rows locked for too long.
 */
export async function eraseUser(
  session: Session,
  options: UserEraseOptions,
  hooks: EraseHooks,
  reporting: Pick<Reporting, 'onProgress'>,
): Promise<UserEraseResult> {
  const { user, schema, isDryRun, waitMs, maxWaitMs } = options;
  const { onBatch } = hooks;
  const prepared = await prepareErasures(session, schema, { ...reporting, maxWaitMs, onBatch });
  await requireJournal(session, schema);
  const asked: ErasureChoices = {
    shared: await sharedRuleOf(session, options),
    anonymise: tablesNamed(prepared.ownership, schema, options.anonymise),
  };
  const entry = await findErasure(session, user);
  if (entry !== undefined && entry.certificate !== null)
    return presentResult(session, options, user.trim().toLowerCase(), entry.certificate);
  const person = entry?.subject ?? requirePerson(await findPerson(session, user), user);
  // What was begun is continued as it was asked for then; what was refused then may be answered now.
  const begun = entry?.options ?? asked;
  const choices: ErasureChoices = begun.shared === 'refuse' ? { ...begun, shared: asked.shared } : begun;
  if (typeof choices.shared === 'object' && choices.shared.handOverTo === person.id)
    throw new AisecError('USAGE', 'rows cannot be handed over to the user who is erased', {
      hint: 'Name another user.',
    });
  const erasure: Erasure = { ...prepared, choices, person };
  const plan = await planFor(erasure);
  if (isDryRun) return resultOf(session, options, person.id, { outcome: 'planned', plan, certificate: null });
  refuseFindings('ERASE_BLOCKED', `cannot erase the user ${person.id}`, plan.findings);
  if (entry === undefined) await hooks.confirm(plan, person);
  const lock = { waitMs, key: lockKey(person.id), onProgress: reporting.onProgress };
  return withRunLock(session, lock, () => erase(erasure, { person, plan, entry }, options, hooks));
}
