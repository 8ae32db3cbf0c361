import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { quoteLiteral } from '../../../../base/identifier.js';
import { addMonths, monthStart } from '../../../../base/month.js';
import { qualifiedName } from '../../partition.js';
import type { Copy, DrainSet } from './copies.js';

/** A table partitioned like messages, of the copies alone: the server routes each row to its copy. */
export const ROUTER = 'messages_drain';
const PAGES_A_BATCH = 4096;

function attachStatement(router: string, { month, table }: Copy): string {
  if (month === null) return `alter table ${router} attach partition ${table} default`;
  const bounds = [month, addMonths(month, 1)].map((one) => quoteLiteral(monthStart(one)));
  return `alter table ${router} attach partition ${table} for values from (${bounds[0]}) to (${bounds[1]})`;
}

async function routeCopies(session: Session, { schema, copies }: DrainSet, router: string): Promise<void> {
  await session.query(`
    create table ${router} (like ${qualifiedName({ schema, name: 'messages' })}) partition by range (created_at);
    select aisec_revoke_all(${quoteLiteral(router)});
    ${copies.map((copy) => attachStatement(router, copy)).join(';\n')}`);
}

async function unrouteCopies(session: Session, { copies }: DrainSet, router: string): Promise<void> {
  await session.query(`
    ${copies.map(({ table }) => `alter table ${router} detach partition ${table}`).join(';\n')};
    drop table ${router}`);
}

/**
 * Fills the copies from the default partition, in one MVCC snapshot, so that no row comes twice. What is written
 * meanwhile is left to the comparison.
 */
export async function loadCopies(session: Session, set: DrainSet, onProgress: (share: number) => void): Promise<void> {
  const router = qualifiedName({ schema: set.schema, name: ROUTER });
  const source = qualifiedName(set.source);
  const columns = set.columns.join(', ');
  await withTransaction(session, async () => {
    await session.query('set transaction isolation level repeatable read; set local row_security to off');
    await routeCopies(session, set, router);
    const { rows } = await session.query<{ pages: number }>(
      `select (pg_catalog.pg_relation_size($1::regclass) / pg_catalog.current_setting('block_size')::bigint)::float8 as pages`,
      [source],
    );
    const pages = rows[0]?.pages ?? 0;
    for (let page = 0; page < pages; page += PAGES_A_BATCH) {
      onProgress(page / pages);
      await session.query(
        `insert into ${router} (${columns})
         select ${columns}
         from only ${source}
         where ctid >= '(${page},0)'
           and ctid < '(${page + PAGES_A_BATCH},0)'`,
      );
    }
    await unrouteCopies(session, set, router);
  });
}

/** Builds the indexes of the copies, and their statistics. */
export async function indexCopies(session: Session, { copies, indexes }: DrainSet): Promise<void> {
  for (const statement of indexes) await session.query(statement);
  await session.query(`analyze ${copies.map(({ table }) => table).join(', ')}`);
}
