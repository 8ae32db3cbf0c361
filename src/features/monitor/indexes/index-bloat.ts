import type { ReportHeader } from '../inspection/report-header.js';
import { inReadOnly } from '../inspection/read-only.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { measureAll, type MeasuredBloat, type Space } from '../bloat/bloat-meter.js';
import type { IndexFacts } from './index-facts.js';

/**
 * The pages that REINDEX would give back: leaf pages are filled up to the fillfactor again (90 % unless the index says
 * otherwise), empty and deleted ones go. It is read whole: https://www.postgresql.org/docs/16/pgstattuple.html
 */
async function measure(session: Session, schema: string, oid: string): Promise<Space> {
  const { rows } = await inReadOnly(session, () =>
    session.query<{ size_bytes: string; unused: number }>(
      `select
         btree.index_size as size_bytes,
         pg_catalog.current_setting('block_size')::int * (
           btree.leaf_pages
             - ceil(btree.leaf_pages * least(1, coalesce(nullif(btree.avg_leaf_density, 'NaN'), 0) / coalesce(fill.factor, 90)))
             + btree.empty_pages
             + btree.deleted_pages
         ) as unused
       from ${schema}.pgstatindex($1::oid::pg_catalog.regclass) as btree
       left join (
         select option.option_value::float8 as factor
         from pg_catalog.pg_class as class
         cross join pg_catalog.pg_options_to_table(class.reloptions) as option
         where class.oid = $1::oid
           and option.option_name = 'fillfactor'
       ) as fill on true`,
      [oid],
    ),
  );
  return { sizeBytes: Number(rows[0]?.size_bytes ?? 0), unusedBytes: Math.round(rows[0]?.unused ?? 0) };
}

/** Unused space of each b-tree, by its identifier; of other methods PostgreSQL measures nothing. */
export async function measureIndexBloat(
  session: Session,
  indexes: readonly IndexFacts[],
  header: ReportHeader,
): Promise<MeasuredBloat> {
  const isMeasurable = ({ method, isValid }: IndexFacts): boolean => method === 'btree' && isValid;
  const trees = indexes.filter(isMeasurable).map(({ identifier, partOids }) => ({
    key: identifier,
    identifier,
    oids: partOids,
  }));
  const measured = await measureAll(session, trees, header, { functionName: 'pgstatindex', measure });
  const unknown = new Map(measured.unknown);
  for (const { identifier, isValid } of indexes.filter((index) => !isMeasurable(index)))
    unknown.set(identifier, isValid ? 'not a b-tree' : 'invalid');
  return { ...measured, unknown };
}
