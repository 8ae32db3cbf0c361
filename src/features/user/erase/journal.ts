import { randomBytes } from 'node:crypto';

import type { Session } from '../../../adapters/postgres/session.js';
import { aisecVersion } from '../../../base/package/version.js';
import { hashOfUser, type ErasureRecord } from '../../backup/index.js';
import type { Person } from '../graph/find-person.js';
import type { ErasureCertificate } from './certificate.js';
import type { ErasureChoices, ErasurePlan } from './plan.js';
import { recordedTable } from './recorded-tables.js';
import type { SearchedParts } from './scan.js';

/** A row of `erasures`, as it is in JSON. */
export interface JournalEntry {
  readonly id: string;
  readonly hashKey: string;
  readonly subjectHash: string;
  /** Null once it is finished. */
  readonly subject: Person | null;
  /** What was asked for, and how far the search at the end has come when it is done in steps. */
  readonly options: ErasureChoices & { readonly searched?: SearchedParts };
  /** Rows before, by `schema.table`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Those of the person's messages. */
  readonly months: readonly string[];
  readonly startedAt: string;
  readonly erasedAt: string | null;
  readonly finishedAt: string | null;
  readonly certificate: Omit<ErasureCertificate, 'user'> | null;
}

const AT = (column: string): string =>
  `pg_catalog.to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const COLUMNS = `id::text as id, hash_key as "hashKey", subject_hash as "subjectHash", subject, options, counts, months, months,
  ${AT('started_at')} as "startedAt", ${AT('erased_at')} as "erasedAt", ${AT('finished_at')} as "finishedAt", certificate`;

type JournalRow = Omit<JournalEntry, 'options'> & {
  readonly options: Omit<JournalEntry['options'], 'anonymise'> & { readonly anonymise: readonly string[] };
};

/** All erasures, the oldest first. */
export async function readErasures(session: Session): Promise<readonly JournalEntry[]> {
  const { rows } = await session.query<JournalRow>(`select ${COLUMNS} from erasures order by erasures.id`);
  return rows.map((row) => ({
    ...row,
    options: { ...row.options, anonymise: row.options.anonymise.map(recordedTable) },
  }));
}

/** The erasure of the person that the text names: by id, also of one that is finished; by name or address, while it runs. */
export async function findErasure(session: Session, given: string): Promise<JournalEntry | undefined> {
  const text = given.trim();
  const entries = await readErasures(session);
  return entries.find(
    ({ hashKey, subjectHash, subject }) =>
      hashOfUser(text, hashKey) === subjectHash ||
      subject?.username === text ||
      subject?.email.toLowerCase() === text.toLowerCase(),
  );
}

/** Notes that a person is being erased; runs in the transaction that closes the account. */
export async function beginErasure(
  session: Session,
  person: Person,
  options: ErasureChoices,
  counts: Readonly<Record<string, number>>,
  months: readonly string[],
): Promise<JournalEntry> {
  const [newest] = (await readErasures(session)).toReversed();
  const hashKey = newest?.hashKey ?? randomBytes(32).toString('hex');
  const { rows } = await session.query<JournalEntry>(
    `insert into erasures (hash_key, subject_hash, subject, options, counts, months, tool_version)
     values ($1, $2, $3, $4, $5, $6, $7)
     returning ${COLUMNS}`,
    [
      hashKey,
      hashOfUser(person.id, hashKey),
      JSON.stringify(person),
      JSON.stringify(options),
      JSON.stringify(counts),
      months,
      aisecVersion(),
    ],
  );
  const [entry] = rows;
  if (entry === undefined) throw new Error('the erasure was not noted');
  return entry;
}

/** Runs in the transaction that deletes the row of users. */
export async function noteErased(session: Session, { id }: JournalEntry): Promise<void> {
  await session.query('update erasures set erased_at = pg_catalog.clock_timestamp() where id = $1', [id]);
}

/** Notes which partitions were searched, so that the next run need not. */
export async function noteSearched(session: Session, { id }: JournalEntry, searched: SearchedParts): Promise<void> {
  await session.query(`update erasures set options = options || $2::jsonb where id = $1`, [
    id,
    JSON.stringify({ searched }),
  ]);
}

/** Keeps the certificate and forgets who it was. */
export async function finishErasure(
  session: Session,
  { id }: JournalEntry,
  certificate: Omit<ErasureCertificate, 'user'>,
): Promise<void> {
  await session.query(
    `update erasures
     set subject = null, options = options - 'searched', certificate = $2, finished_at = pg_catalog.clock_timestamp()
     where id = $1`,
    [id, JSON.stringify(certificate)],
  );
}

/** As options of the journal: the heir of then by its hash. */
function optionsOf({ shared, anonymise }: ErasureRecord): string {
  return JSON.stringify({ shared, anonymise });
}

/** Notes in a restored database who was erased, as done: the certificate was made where they were erased. */
export async function recordErasures(session: Session, records: readonly ErasureRecord[]): Promise<void> {
  for (const record of records)
    await session.query(
      `insert into erasures as known (hash_key, subject_hash, options, started_at, erased_at, finished_at, tool_version)
       values ($1, $2, $3, $4, pg_catalog.clock_timestamp(), pg_catalog.clock_timestamp(), $5)
       on conflict (subject_hash) do update set
         subject = null,
         erased_at = coalesce(known.erased_at, excluded.erased_at),
         finished_at = coalesce(known.finished_at, excluded.finished_at)
       where known.finished_at is null`,
      [record.hashKey, record.subjectHash, optionsOf(record), record.startedAt, aisecVersion()],
    );
}

/** Notes in a restored database that an erasure is not done: `user erase` continues it, once others do not depend on it. */
export async function beginRecorded(
  session: Session,
  record: ErasureRecord,
  person: Person,
  { tables, months }: Pick<ErasurePlan, 'tables' | 'months'>,
): Promise<void> {
  await session.query(
    `insert into erasures as known (hash_key, subject_hash, subject, options, counts, months, started_at, tool_version)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (subject_hash) do update set
       subject = excluded.subject,
       certificate = null,
       erased_at = null,
       finished_at = null`,
    [
      record.hashKey,
      record.subjectHash,
      JSON.stringify(person),
      JSON.stringify({ shared: 'refuse', anonymise: record.anonymise }),
      JSON.stringify(Object.fromEntries(tables.map(({ table, rows }) => [table, rows]))),
      months,
      record.startedAt,
      aisecVersion(),
    ],
  );
}
