import type { Session } from '../../../adapters/postgres/session.js';
import { hashOfUser, type ErasureRecord } from './erasure-record.js';

interface ErasureRow {
  readonly hash_key: string;
  readonly subject_hash: string;
  readonly started_at: string;
  readonly shared: 'refuse' | 'keep' | { readonly handOverTo: string } | { readonly handOverToHash: string };
  readonly anonymise: readonly string[] | null;
}

/** The erasures that the database has on record; undefined where its schema has no table for them. */
export async function readErasureRecords(
  session: Session,
  schema: string,
): Promise<readonly ErasureRecord[] | undefined> {
  const { rows: found } = await session.query<{ name: string | null }>(
    `select class.oid::pg_catalog.regclass::text as name
     from pg_catalog.pg_class as class
     join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
     where namespace.nspname = $1 and class.relname = 'erasures'`,
    [schema],
  );
  const name = found[0]?.name ?? null;
  if (name === null) return undefined;
  const { rows } = await session.query<ErasureRow>(
    `select
       hash_key,
       subject_hash,
       pg_catalog.to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at,
       options -> 'shared' as shared,
       options -> 'anonymise' as anonymise
     from ${name}
     order by id`,
  );
  return rows.map((row) => ({
    hashKey: row.hash_key,
    subjectHash: row.subject_hash,
    startedAt: row.started_at,
    shared:
      typeof row.shared === 'object' && 'handOverTo' in row.shared
        ? { handOverToHash: hashOfUser(row.shared.handOverTo, row.hash_key) }
        : row.shared,
    anonymise: row.anonymise ?? [],
  }));
}
