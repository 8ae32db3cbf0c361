import { createHmac, randomBytes } from 'node:crypto';

import type { Session } from '../../../adapters/postgres/session.js';
import { aisecVersion } from '../../../base/version.js';
import type { Person } from '../graph/find-person.js';
import type { ErasureCertificate } from './certificate.js';
import type { ErasureChoices } from './plan.js';

/** A row of `erasures`, as it is in JSON. */
export interface JournalEntry {
  readonly id: string;
  readonly hashKey: string;
  readonly subjectHash: string;
  /** Null once it is finished. */
  readonly subject: Person | null;
  readonly options: ErasureChoices;
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

/** The id without a way back to it: only with the id can one see that it is meant. */
export function hashOf(id: string, hashKey: string): string {
  return createHmac('sha256', Buffer.from(hashKey, 'hex')).update(id.toLowerCase()).digest('hex');
}

/** All erasures, the oldest first. */
export async function readErasures(session: Session): Promise<readonly JournalEntry[]> {
  const { rows } = await session.query<JournalEntry>(`select ${COLUMNS} from erasures order by erasures.id`);
  return rows;
}

/** The erasure of the person that the text names: by id, also of one that is finished; by name or address, while it runs. */
export async function findErasure(session: Session, given: string): Promise<JournalEntry | undefined> {
  const text = given.trim();
  const entries = await readErasures(session);
  return entries.find(
    ({ hashKey, subjectHash, subject }) =>
      hashOf(text, hashKey) === subjectHash ||
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
      hashOf(person.id, hashKey),
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

/** Keeps the certificate and forgets who it was. */
export async function finishErasure(
  session: Session,
  { id }: JournalEntry,
  certificate: Omit<ErasureCertificate, 'user'>,
): Promise<void> {
  await session.query(
    `update erasures
     set subject = null, certificate = $2, finished_at = pg_catalog.clock_timestamp()
     where id = $1`,
    [id, JSON.stringify(certificate)],
  );
}
