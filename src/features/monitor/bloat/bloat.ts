import type { ReportHeader } from '../inspection/report-header.js';
import { inReadOnly } from '../inspection/read-only.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { groupBy } from '../../../base/group-by.js';
import { measureAll, type Measurable, type MeasuredBloat, type Space } from './bloat-meter.js';

interface TablePart {
  readonly root_oid: string;
  readonly oid: string;
  readonly toast_oid: string | null;
  readonly identifier: string;
  readonly is_partitioned: boolean;
}

async function measure(session: Session, schema: string, oid: string): Promise<Space> {
  const { rows } = await inReadOnly(session, () =>
    session.query<{ table_len: string; unused: string }>(
      `select table_len, dead_tuple_len + approx_free_space::bigint as unused from ${schema}.pgstattuple_approx($1::oid)`,
      [oid],
    ),
  );
  return { sizeBytes: Number(rows[0]?.table_len ?? 0), unusedBytes: Number(rows[0]?.unused ?? 0) };
}

function measurableOf(rootOid: string, family: readonly TablePart[]): Measurable {
  const leaves = family.filter((row) => !row.is_partitioned);
  return {
    key: rootOid,
    identifier: family.find(({ oid }) => oid === rootOid)?.identifier ?? '',
    oids: leaves.flatMap(({ oid, toast_oid: toast }) => (toast === null ? [oid] : [oid, toast])),
  };
}

/** Free and dead space in heap and TOAST of each table, by the id of its root. */
export async function measureBloat(
  session: Session,
  rows: readonly TablePart[],
  header: ReportHeader,
): Promise<MeasuredBloat> {
  const tables = [...groupBy(rows, (row) => row.root_oid)].map(([rootOid, family]) => measurableOf(rootOid, family));
  return measureAll(session, tables, header, { functionName: 'pgstattuple_approx', measure });
}
