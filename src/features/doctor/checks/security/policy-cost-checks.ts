import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { nameInSql, quoteIdentifier } from '../../../../base/identifier.js';
import type { Check, Fault, Subject } from '../../check.js';
import { qualified } from '../../names.js';
import { callsPerRow, parseNodeTree, type PolicyCall } from '../policy/node-tree.js';
import { policyCondition, timePolicy, type PolicyName } from '../policy/policy-timing.js';
import { wrapCalls } from '../policy/wrap-calls.js';

interface PolicyRow extends PolicyName {
  readonly tree: string;
}

interface FunctionRow {
  readonly id: string;
  readonly name: string;
  readonly is_immutable: boolean;
}

interface Costly {
  readonly policy: PolicyRow;
  readonly call: PolicyCall;
  /** The function's name, quoted where it has to be. */
  readonly name: string;
}

async function timed(subject: Subject, { policy, call, name }: Costly): Promise<Pick<Fault, 'evidence'>> {
  if (!subject.isTiming) return {};
  const other = call.takesColumn
    ? { rewrite: () => 'true', words: 'without it' }
    : { rewrite: (condition: string) => wrapCalls(condition, name), words: `with (select ${name}(...))` };
  return { evidence: await timePolicy(subject, policy, other) };
}

async function faultOf(subject: Subject, costly: Costly): Promise<Fault> {
  const { policy, call, name } = costly;
  const where = `policy ${nameInSql(policy.name)} on ${nameInSql(policy.table_name)}`;
  const alter = `alter policy ${quoteIdentifier(policy.name)} on ${qualified(subject.schema, policy.table_name)} using`;
  const condition = await policyCondition(subject, policy);
  const object = `${nameInSql(policy.table_name)}.${nameInSql(policy.name)}`;
  if (call.takesColumn)
    return {
      object,
      message: `${where} calls ${name} with a column of each row`,
      impact: `it is called for every row of the table, and no index helps; as a set, such as COLUMN = any (array(select ...)), it was 50 times as fast when it was measured. Now it is ${condition}`,
      fix: null,
      ...(await timed(subject, costly)),
    };
  return {
    object,
    severity: 'notice',
    message: `${where} calls ${name} outside of (select ...)`,
    impact: 'it is called for every row of the table instead of once',
    fix: `${alter} (${wrapCalls(condition, name)});`,
    ...(await timed(subject, costly)),
  };
}

async function examineCost(subject: Subject): Promise<readonly Fault[]> {
  const { rows: policies } = await subject.session.query<PolicyRow>(sqlFile('doctor/policies'), [subject.schema]);
  const calls = policies.map((policy) => {
    const tree = parseNodeTree(policy.tree);
    return { policy, calls: tree === undefined ? [] : callsPerRow(tree) };
  });
  const ids = [...new Set(calls.flatMap((entry) => entry.calls.map(({ functionId }) => functionId)))];
  if (ids.length === 0) return [];
  const { rows: functions } = await subject.session.query<FunctionRow>(sqlFile('doctor/policy-functions'), [ids]);
  const faults: Fault[] = [];
  for (const { policy, calls: made } of calls) {
    const costly = made
      .map((call) => ({ call, called: functions.find(({ id }) => Number(id) === call.functionId) }))
      .filter(({ call, called }) => called !== undefined && (call.takesColumn || !called.is_immutable))
      // One finding for a policy, the worst.
      .toSorted((a, b) => Number(b.call.takesColumn) - Number(a.call.takesColumn))[0];
    if (costly?.called !== undefined)
      faults.push(await faultOf(subject, { policy, call: costly.call, name: costly.called.name }));
  }
  return faults;
}

export const POLICY_COST_CHECKS: readonly Check[] = [
  {
    id: 'policy-cost',
    area: 'security',
    severity: 'warning',
    title: 'policies that call a function for every row; a notice where (select ...) around the call is enough',
    examine: examineCost,
  },
];
