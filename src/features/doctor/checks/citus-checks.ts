import { aisecCommand } from '../../../base/package/aisec-command.js';
import { countText, listed } from '../../../base/count.js';
import { nameInSql, quoteIdentifier } from '../../../base/identifier.js';
import { LOGIN_FOR_NODES, readNodes, tryAsUser, type CitusNode } from '../../tenant/checks.js';
import type { Check, Fault, Outcome, Subject } from '../check.js';
import { readPlace, type Placed } from '../on-citus.js';

function citusCheck(
  parts: Pick<Check, 'id' | 'severity' | 'title' | 'grant'>,
  look: (place: Placed, subject: Subject) => Promise<Outcome> | Outcome,
): Check {
  return {
    ...parts,
    area: 'citus',
    examine: async (subject) => {
      const place = await subject.once(readPlace);
      if (place === undefined) return { notApplicable: 'the database has no extension citus' };
      if (!place.is_coordinator) return { notApplicable: 'this is a worker, and the coordinator is asked' };
      return look(place, subject);
    },
  };
}

const nodesOf = ({ session }: Subject): Promise<readonly CitusNode[]> => readNodes(session);

const addressOf = ({ host, port }: CitusNode): string => `${host}:${port}`;

async function examineNodes(_place: Placed, subject: Subject): Promise<Outcome> {
  const nodes = await subject.once(nodesOf);
  if (!nodes.some((node) => node.takes_tenants && node.is_active))
    return {
      object: 'cluster',
      message: 'no worker takes tenants',
      impact: 'a new tenant cannot be distributed; citus_add_node() adds a worker',
      fix: null,
    };
  return nodes
    .filter((node) => !node.is_active || !node.is_reachable)
    .map((node): Fault => ({
      object: addressOf(node),
      message: node.is_reachable
        ? `the node ${addressOf(node)} is disabled`
        : `the coordinator does not reach the node ${addressOf(node)}`,
      impact: node.is_reachable
        ? 'its tenants can be read, and not changed'
        : 'every query of its tenants fails: start the node, or let the coordinator in (pg_hba.conf, pg_dist_authinfo)',
      fix: node.is_reachable ? `select citus_activate_node('${node.host}', ${node.port});` : null,
    }));
}

/** What is not seen from here is no finding, and never called well. */
async function examineUnseen(_place: Placed, subject: Subject): Promise<Outcome> {
  const nodes = await subject.once(nodesOf);
  if (nodes.length === 0) return [];
  return {
    skipped: `the server of ${countText(nodes.length, 'node')} is looked at there: ${aisecCommand('doctor --only live,wraparound,replication,settings,versions', subject.schema)} with the address of ${listed(nodes.map(addressOf))}`,
    lacksGrant: false,
  };
}

export const CITUS_CHECKS: readonly Check[] = [
  citusCheck(
    { id: 'citus-new-schemas', severity: 'notice', title: 'new schemas that stay on the coordinator' },
    ({ distributes_new: isOn }, { session }) =>
      isOn
        ? []
        : {
            object: nameInSql(session.info.databaseName),
            message: 'citus.enable_schema_based_sharding is off for new sessions of this role',
            impact: 'migrate up makes a new tenant on the coordinator and leaves it there',
            fix: `alter database ${quoteIdentifier(session.info.databaseName)} set citus.enable_schema_based_sharding = on;`,
          },
  ),
  citusCheck(
    { id: 'citus-awaited', severity: 'warning', title: 'a tenant that was to be distributed and is not' },
    ({ is_awaited: isAwaited }, { schema }) =>
      isAwaited
        ? {
            object: nameInSql(schema),
            message: `the schema ${nameInSql(schema)} was to be distributed, and the run that made it has not come so far`,
            impact: 'it lies on the coordinator until then',
            fix: aisecCommand('migrate up', schema),
          }
        : [],
  ),
  citusCheck(
    { id: 'citus-role-login', severity: 'critical', title: 'authenticated may not log in, as Citus does on the nodes' },
    ({ role_logs_in: logsIn }) =>
      logsIn === false
        ? {
            object: 'authenticated',
            message: 'role authenticated may not log in',
            impact:
              'Citus logs in to the nodes as the role that a query runs as: withUser fails in every distributed tenant. Give it no password',
            fix: LOGIN_FOR_NODES,
          }
        : [],
  ),
  citusCheck(
    {
      id: 'citus-user',
      severity: 'critical',
      title: 'a tenant that does not answer as it answers withUser',
      grant: (_schema, role) => `grant authenticated to ${role} with inherit false, set true;`,
    },
    async ({ node, role_logs_in: logsIn }, { session, schema }) => {
      if (node === null) return { notApplicable: 'the schema lies on the coordinator' };
      if (logsIn === false) return [];
      const problem = await tryAsUser(session, schema);
      if (problem === undefined) return [];
      return {
        object: nameInSql(schema),
        message: `role authenticated cannot read ${nameInSql(schema)} on the node ${node}: ${problem}`,
        impact:
          'withUser fails for every user; the node has to let the coordinator log in as authenticated (pg_hba.conf, pg_dist_authinfo)',
        fix: null,
      };
    },
  ),
  citusCheck(
    { id: 'citus-node', severity: 'critical', title: 'nodes that are disabled or not reached; no node for tenants' },
    examineNodes,
  ),
  citusCheck(
    { id: 'citus-node-state', severity: 'warning', title: 'what doctor has to look at on the nodes themselves' },
    examineUnseen,
  ),
];
