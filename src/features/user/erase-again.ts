import { readCursor } from '../../adapters/postgres/read-cursor.js';
import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../base/identifier.js';
import type { Reporting } from '../../base/reporting.js';
import {
  ErasedUsers,
  hashOfUser,
  readErasureRecords,
  type BlockedErasure,
  type ErasedAgain,
  type ErasureRecord,
} from '../backup/index.js';
import { beginRecorded, recordErasures } from './erase/journal.js';
import type { ErasurePlan, SharedRule } from './erase/plan.js';
import { planFor, prepareErasures } from './erase/prepare.js';
import { recordedTable } from './erase/recorded-tables.js';
import { eraseRows, type Erasure } from './erase/rounds.js';
import { findPerson } from './graph/find-person.js';

/** Only autovacuum is beside it in a database that is being restored. */
const MAX_WAIT_MS = 30_000;

interface FoundUsers {
  /** Ids of people who were erased and are there, with the record. */
  readonly erased: readonly (readonly [id: string, record: ErasureRecord])[];
  /** Hash → id of those whom shared rows were handed over to. */
  readonly heirs: ReadonlyMap<string, string>;
}

async function findUsers(session: Session, schema: string, records: readonly ErasureRecord[]): Promise<FoundUsers> {
  const users = new ErasedUsers(records);
  const wanted = new Map(
    records.flatMap(({ hashKey, shared }) =>
      typeof shared === 'object' ? [[shared.handOverToHash, hashKey] as const] : [],
    ),
  );
  const keys = new Set(wanted.values());
  const erased: (readonly [id: string, record: ErasureRecord])[] = [];
  const heirs = new Map<string, string>();
  const ids = `select id::text as id from ${quoteIdentifier(schema)}.users`;
  await withTransaction(session, async () => {
    for await (const { id } of readCursor<{ id: string }>(session, ids, () => 40)) {
      const record = users.find(id);
      if (record !== undefined) erased.push([id, record]);
      for (const key of keys) {
        const hash = hashOfUser(id, key);
        if (wanted.has(hash)) heirs.set(hash, id);
      }
    }
  });
  return { erased, heirs };
}

/** As it was asked for then; where that other user is not there, shared rows stay without an owner if they can. */
function rulesFor({ shared }: ErasureRecord, heirs: FoundUsers['heirs']): readonly SharedRule[] {
  const heir = typeof shared === 'object' ? heirs.get(shared.handOverToHash) : undefined;
  return heir === undefined ? ['keep'] : [{ handOverTo: heir }, 'keep'];
}

async function tableExists(session: Session, schema: string, table: string): Promise<boolean> {
  const { rows } = await session.query<{ exists: boolean }>('select pg_catalog.to_regclass($1) is not null as exists', [
    `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`,
  ]);
  return rows[0]?.exists === true;
}

/**
 * Erases from a restored database whom the records name, as it was asked for when they were erased, and puts the records
 * into its own journal. Run again, it finds nothing more to do. Who cannot be erased by a rule that was given then, since
 * others depend on their rows in this backup, is left with a closed account and a begun erasure, and reported.
 */
export async function eraseAgain(
  session: Session,
  schema: string,
  records: readonly ErasureRecord[],
  reporting: Reporting,
): Promise<Pick<ErasedAgain, 'users' | 'rows' | 'blocked'>> {
  const blocked: BlockedErasure[] = [];
  let [users, rows] = [0, 0];
  if (records.length === 0 || !(await tableExists(session, schema, 'users'))) return { users, rows, blocked };
  // Fails where policies would hide users, rather than take them for erased.
  await session.query('set row_security = off');
  await session.query('select pg_catalog.set_config($1, $2, false)', [
    'search_path',
    `${quoteIdentifier(schema)}, public`,
  ]);
  const hasJournal = (await readErasureRecords(session, schema)) !== undefined;
  const { erased, heirs } = await findUsers(session, schema, records);
  const prepared =
    erased.length === 0 ? undefined : await prepareErasures(session, schema, { ...reporting, maxWaitMs: MAX_WAIT_MS });
  const open = new Set<string>();
  for (const [id, record] of prepared === undefined ? [] : erased) {
    const person = (await findPerson(session, id)) ?? { id, username: '', email: '' };
    const anonymise = record.anonymise
      .map(recordedTable)
      .filter((key) => prepared?.ownership.tables.includes(key) === true);
    let blocking: ErasurePlan | undefined;
    for (const shared of rulesFor(record, heirs)) {
      if (prepared === undefined) break;
      const erasure: Erasure = { ...prepared, person, choices: { shared, anonymise } };
      const plan = await planFor(erasure);
      blocking = plan.findings.length === 0 ? undefined : plan;
      if (blocking !== undefined) continue;
      await eraseRows(erasure, () => Promise.resolve());
      users += 1;
      rows += plan.tables.reduce((sum, table) => sum + table.rows, 0);
      break;
    }
    if (blocking === undefined) continue;
    blocked.push({ user: id, reason: blocking.findings.map(({ message }) => message).join('; ') });
    open.add(record.subjectHash);
    await session.query('update users set is_active = false where id = $1', [id]);
    if (hasJournal) await beginRecorded(session, record, person, blocking);
  }
  if (hasJournal)
    await recordErasures(
      session,
      records.filter(({ subjectHash }) => !open.has(subjectHash)),
    );
  return { users, rows, blocked };
}
