import { inReadOnly } from '../../../monitor/index.js';
import { formatCount } from '../../../../base/count.js';
import { endsRun, isAisecError, messageOf } from '../../../../base/errors.js';
import { nameInSql, quoteIdentifier } from '../../../../base/identifier.js';
import type { Subject } from '../../check.js';
import { qualified } from '../../names.js';

export interface PolicyName {
  readonly table_name: string;
  readonly name: string;
}

/** How the condition of a policy is changed before it is timed. */
export type Rewrite = (condition: string) => string;

const SAMPLE_ROWS = 10_000;
const TIMEOUT_MS = 2000;
const QUERY_CANCELED = '57014';

/** The USING condition as SQL, with the names that the session's search_path finds unqualified. Waits for a session that has the table locked. */
export async function policyCondition({ session, schema }: Subject, policy: PolicyName): Promise<string> {
  const { rows } = await session.query<{ condition: string }>(
    `select pg_catalog.pg_get_expr(polqual, polrelid) as condition
     from pg_catalog.pg_policy
     where polrelid = pg_catalog.to_regclass($1)
       and polname = $2`,
    [qualified(schema, policy.table_name), policy.name],
  );
  return rows[0]?.condition ?? 'true';
}

/** Of the second of two runs: the first one reads the sample from disk. */
async function timeMs(subject: Subject, policy: PolicyName, rewrite: Rewrite): Promise<number> {
  const { session, schema } = subject;
  return inReadOnly(session, async () => {
    await session.query(`set local statement_timeout = ${TIMEOUT_MS}`);
    const condition = rewrite(await policyCondition(subject, policy));
    // A limit keeps the condition out of the subquery; under the table's own name it finds its columns.
    const sample = `(select * from ${qualified(schema, policy.table_name)} limit ${SAMPLE_ROWS})`;
    const explain = `explain (analyze, timing off, format json)
      select from ${sample} as ${quoteIdentifier(policy.table_name)} where ${condition}`;
    await session.query(explain);
    const { rows } = await session.query<{ 'QUERY PLAN': readonly { 'Execution Time': number }[] }>(explain);
    return rows[0]?.['QUERY PLAN'][0]?.['Execution Time'] ?? Number.NaN;
  });
}

async function timeText(subject: Subject, policy: PolicyName, rewrite: Rewrite): Promise<string> {
  try {
    return `${(await timeMs(subject, policy, rewrite)).toFixed(1)} ms`;
  } catch (error) {
    if (endsRun(error)) throw error;
    if (isAisecError(error) && error.sqlState === QUERY_CANCELED) return `more than ${TIMEOUT_MS} ms`;
    return `no time to be had (${messageOf(error)})`;
  }
}

async function sampleSize({ session, schema }: Subject, { table_name: table }: PolicyName): Promise<number> {
  const { rows } = await inReadOnly(session, () =>
    session.query<{ size: number }>(
      `select count(*)::int as size from (select from ${qualified(schema, table)} limit ${SAMPLE_ROWS}) as sample`,
    ),
  );
  return rows[0]?.size ?? 0;
}

/**
 * What a policy costs on some rows of its table, as it is and otherwise, in words. Its functions are called, in a read-only
 * transaction and by the role that looks.
 */
export async function timePolicy(
  subject: Subject,
  policy: PolicyName,
  other: { readonly rewrite: Rewrite; readonly words: string },
): Promise<string> {
  const rows = await sampleSize(subject, policy);
  const asIs = await timeText(subject, policy, (condition) => condition);
  const otherwise = await timeText(subject, policy, other.rewrite);
  return `${formatCount(rows)} ${rows === 1 ? 'row' : 'rows'} of ${nameInSql(policy.table_name)}: ${asIs} as it is, ${otherwise} ${other.words}`;
}
