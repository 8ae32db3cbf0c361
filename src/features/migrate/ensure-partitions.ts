import type { Session } from '../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../base/identifier.js';
import { isAisecError } from '../../base/errors.js';
import type { Reporting } from '../../base/reporting.js';
import { countMonthsAhead, readPartitions } from '../messages/index.js';

export interface EnsuredPartition {
  readonly month: string;
  readonly partition: string;
}

interface EnsuredRow {
  readonly month: string;
  readonly partition_name: string;
  readonly created: boolean;
  readonly problem: string | null;
}

/** The call that ends `migrate up` and its offline script: the months of messages do not depend on when a migration ran. */
export function ensureCall(schema: string): string {
  return `${quoteIdentifier(schema)}.ensure_message_partitions()`;
}

/** Those that ensure_message_partitions() makes without an argument. */
const MONTHS_AHEAD = 3;

/** A role that may only read, where nothing is left to make: the schema is as the owner would leave it. */
async function unlessNothingIsLeft(
  error: unknown,
  session: Session,
  schema: string,
  { onWarning }: Pick<Reporting, 'onWarning'>,
): Promise<readonly EnsuredRow[]> {
  if (!isAisecError(error, 'PRIVILEGE_MISSING')) throw error;
  const ahead = countMonthsAhead(await readPartitions(session, schema));
  if (ahead < MONTHS_AHEAD) throw error;
  onWarning(`The months of messages are there, ${ahead} ahead; this role could not make one: ${error.message}.`);
  return [];
}

/**
 * Makes the current month and those ahead, when the schema has the function for it. A month that cannot be made now
 * (its table is locked, say) is a warning: the default partition takes its rows meanwhile.
 */
export async function ensurePartitions(
  session: Session,
  schema: string,
  reporting: Pick<Reporting, 'onWarning'>,
): Promise<readonly EnsuredPartition[]> {
  const { rows: found } = await session.query<{ exists: boolean }>(
    'select pg_catalog.to_regprocedure($1) is not null as exists',
    [`${quoteIdentifier(schema)}.ensure_message_partitions(integer, date)`],
  );
  if (found[0]?.exists !== true) return [];
  const rows = await session
    .query<EnsuredRow>(`select month::text as month, partition_name, created, problem from ${ensureCall(schema)}`)
    .then(
      (made) => made.rows,
      (error: unknown) => unlessNothingIsLeft(error, session, schema, reporting),
    );
  for (const row of rows)
    if (row.problem !== null) reporting.onWarning(`partition ${row.partition_name}: ${row.problem}`);
  return rows.filter((row) => row.created).map((row) => ({ month: row.month, partition: row.partition_name }));
}
