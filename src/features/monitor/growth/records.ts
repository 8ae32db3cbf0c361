import { aisecCommand } from '../../../base/package/aisec-command.js';
import { notSeen } from '../inspection/skip.js';
import type { Finding } from '../../../base/finding.js';
import { inReadOnly } from '../inspection/read-only.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { sqlFile } from '../../../adapters/postgres/sql-file.js';
import { quoteIdentifier } from '../../../base/identifier.js';

/** What `monitor record` wrote down, one a day. */
export interface SizeRecord {
  /** RFC 3339 in UTC. */
  readonly measuredAt: string;
  readonly databaseBytes: number;
  /** By the table's name, partitions counted with it. */
  readonly tableBytes: Readonly<Record<string, number>>;
}

export interface RecordsAccess {
  readonly is_there: boolean;
  readonly can_read: boolean;
  /** INSERT, and DELETE of what is past retention. */
  readonly can_write: boolean;
  readonly role_name: string;
}

interface RecordRow extends Omit<SizeRecord, 'measuredAt'> {
  readonly measuredAt: Date;
}

/** How far back rates are taken from. */
export const RECORDS_DAYS = 90;

const RECORD_TABLES = ['size_records', 'size_record_tables'] as const;

/** Looks at the catalog only. */
export async function readRecordsAccess(session: Session, schema: string): Promise<RecordsAccess> {
  const { rows } = await session.query<RecordsAccess>(sqlFile('monitor/records-access'), [schema]);
  const [access] = rows;
  if (access === undefined) throw new Error('an aggregate without a group has one row');
  return access;
}

/** The statement that lets the role of this session use the records. */
export function recordsGrant(schema: string, role: string, privileges: string): string {
  const tables = RECORD_TABLES.map((table) => `${quoteIdentifier(schema)}.${table}`);
  return `grant ${privileges} on ${tables.join(', ')} to ${role};`;
}

/** The records since a moment, oldest first, or why they cannot be had. */
export async function readRecords(
  session: Session,
  schema: string,
  since: Date,
): Promise<{ readonly records: readonly SizeRecord[]; readonly skip: Finding | null }> {
  return inReadOnly(session, async () => {
    const object = 'records of sizes';
    const access = await readRecordsAccess(session, schema);
    if (!access.is_there) {
      const message = `the schema "${schema}" lacks the tables of monitor record`;
      return { records: [], skip: notSeen(object, message, aisecCommand('migrate up', schema)) };
    }
    if (!access.can_read) {
      const fix = recordsGrant(schema, access.role_name, 'select');
      return { records: [], skip: notSeen(object, 'the role may not read them', fix) };
    }
    // Their policy shows every row; with row_security off, as doctor leaves the session, having one would be an error.
    await session.query(
      "select pg_catalog.set_config('search_path', $1, true), pg_catalog.set_config('row_security', 'on', true)",
      [quoteIdentifier(schema)],
    );
    const { rows } = await session.query<RecordRow>(sqlFile('monitor/records'), [since]);
    const records = rows.map((row) => ({ ...row, measuredAt: row.measuredAt.toISOString() }));
    return { records, skip: null };
  });
}
