import { withRunLock } from '../../adapters/postgres/locks/advisory-lock.js';
import { rollBack, withTransaction, type Session } from '../../adapters/postgres/session.js';
import type { Age } from '../../base/age.js';
import { AisecError } from '../../base/errors.js';
import { refuseFindings } from '../../base/refuse-findings.js';
import type { Reporting } from '../../base/reporting.js';
import { aisecVersion } from '../../base/version.js';
import type { ErasureCertificate, EmptiedCaches, ErasedTable } from './erase/certificate.js';
import { findHolders } from './erase/holders.js';
import { beginErasure, findErasure, finishErasure, hashOf, readErasures, type JournalEntry } from './erase/journal.js';
import { planErasure, type ErasureChoices, type ErasurePlan, type SharedRule } from './erase/plan.js';
import { eraseRows, type Erasure } from './erase/rounds.js';
import { scanForPerson } from './erase/scan.js';
import { readTableColumns } from './erase/table-columns.js';
import { choosePerson, prepareChoice } from './graph/choose-person.js';
import { findPerson, requirePerson, type Person } from './graph/find-person.js';
import { displayName } from './graph/ownership.js';
import { readOwnership, requireAllRows, tablesOf } from './graph/read-ownership.js';

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
}

interface Start {
  readonly person: Person;
  readonly plan: ErasurePlan;
  readonly entry: JournalEntry | undefined;
}

const MONTH = /_y(\d{4})m(\d{2})$/;

function monthsOf({ tables }: ErasurePlan): readonly string[] {
  const months = tables.flatMap(({ partitions }) =>
    partitions.flatMap(({ partition }) => {
      const found = MONTH.exec(partition);
      return found === null ? [] : [`${found[1] ?? ''}-${found[2] ?? ''}`];
    }),
  );
  return [...new Set(months)].toSorted((a, b) => a.localeCompare(b, 'en'));
}

async function sharedRuleOf(session: Session, { shared }: UserEraseOptions): Promise<SharedRule> {
  if (typeof shared === 'string') return shared;
  return { handOverTo: requirePerson(await findPerson(session, shared.handOverTo), shared.handOverTo).id };
}

/** What an erasure needs to know of the database, and what was asked for. */
async function prepare(
  session: Session,
  options: UserEraseOptions,
  { onProgress }: Reporting,
): Promise<Omit<Erasure, 'person'>> {
  const { schema } = options;
  const ownership = await readOwnership(session, schema);
  const { rows } = await session.query<{ exists: boolean }>(
    "select pg_catalog.to_regclass('erasures') is not null as exists",
  );
  if (rows[0]?.exists !== true)
    throw new AisecError('MIGRATION_PENDING', `the schema "${schema}" has no table erasures`, {
      hint: 'Run: aisec migrate up',
    });
  await requireAllRows(session, tablesOf(ownership), 'select and delete');
  const anonymise = options.anonymise.map((name) =>
    name.includes('.') ? name.replace('.', ' ') : `${schema} ${name}`,
  );
  const unknown = anonymise.find((key) => !ownership.tables.includes(key));
  if (unknown !== undefined)
    throw new AisecError('USAGE', `${displayName(unknown)} is no table with rows of a user`, {
      hint: 'See them with --dry-run.',
    });
  return {
    session,
    schema,
    ownership,
    columns: await readTableColumns(session, ownership),
    choice: await prepareChoice(session, ownership),
    choices: { shared: await sharedRuleOf(session, options), anonymise },
    onProgress,
  };
}

async function planFor(erasure: Erasure): Promise<ErasurePlan> {
  const { session, schema, ownership, columns, choice, person, choices } = erasure;
  await choice.clear();
  await session.query('begin isolation level repeatable read, read only; set local jit = off');
  try {
    await choosePerson(choice, ownership, schema, person, { mentions: false });
    return await planErasure(session, choice, ownership, columns, schema, choices);
  } finally {
    // What was chosen in temporary tables is taken back, too.
    await rollBack(session);
    await choice.clear();
  }
}

/** Closes the account, so that services stop answering for it, and notes that the person is being erased. */
async function begin(erasure: Erasure, { person, plan, entry }: Start): Promise<JournalEntry> {
  const { session, choices } = erasure;
  return withTransaction(session, async () => {
    await session.query('update users set is_active = false where id = $1 and is_active', [person.id]);
    if (entry !== undefined) return entry;
    const counts = Object.fromEntries(plan.tables.map(({ table, rows }) => [table, rows]));
    return beginErasure(session, person, choices, counts, monthsOf(plan));
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
  const scan = await scanForPerson(session, person, onProgress);
  const [noted] = (await readErasures(session)).filter(({ id }) => id === entry.id);
  const erasedAt = noted?.erasedAt ?? new Date().toISOString();
  const { months } = entry;
  const tables = Object.entries(entry.counts).map(([table, before]): ErasedTable => ({
    table,
    before,
    after: after.tables.find((each) => each.table === table)?.rows ?? 0,
    action: choices.anonymise.includes(table.replace('.', ' ')) ? 'anonymise' : 'delete',
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

/** A key of 64 bits for the lock of one erasure. */
function lockKey(id: string): string {
  return BigInt.asIntN(64, BigInt(`0x${hashOf(id, '').slice(0, 16)}`)).toString();
}

async function erase(
  erasure: Erasure,
  start: Start,
  options: UserEraseOptions,
  hooks: EraseHooks,
): Promise<UserEraseResult> {
  const { session } = erasure;
  const { person, plan } = start;
  const entry = await begin(erasure, start);
  if (entry.erasedAt === null) await eraseRows(erasure, entry);
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
 *   a role that would not see all rows, REFUSED without a confirmation, RUN_LOCKED while another run erases the same.
 */
export async function eraseUser(
  session: Session,
  options: UserEraseOptions,
  hooks: EraseHooks,
  reporting: Reporting,
): Promise<UserEraseResult> {
  const { user, isDryRun, waitMs } = options;
  const prepared = await prepare(session, options, reporting);
  const entry = await findErasure(session, user);
  if (entry !== undefined && entry.certificate !== null) {
    const id = user.trim().toLowerCase();
    return resultOf(session, options, id, {
      outcome: 'present',
      plan: null,
      certificate: { ...entry.certificate, user: id },
    });
  }
  const person = entry?.subject ?? requirePerson(await findPerson(session, user), user);
  // What was begun is continued as it was asked for then.
  const choices: ErasureChoices = entry?.options ?? prepared.choices;
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
