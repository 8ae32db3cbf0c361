import { nodeOf, readCitus, type CitusFacts } from '../tenant/checks.js';
import type { Check, Outcome, Subject } from './check.js';

/** What Citus knows of the schema, and where it lies; undefined where the database has no Citus. */
export interface Placed extends CitusFacts {
  /** Null: on the coordinator. */
  readonly node: string | null;
}

export async function readPlace({ session, schema }: Subject): Promise<Placed | undefined> {
  const facts = await readCitus(session, schema);
  return facts === undefined ? undefined : { ...facts, node: await nodeOf(session, schema) };
}

/** They look at pages, counters, sizes or the validity of indexes, and those here are of empty tables. */
const BLIND: ReadonlySet<string> = new Set([
  'vacuum-dead-rows',
  'vacuum-freeze',
  'vacuum-never-analyzed',
  'vacuum-settings',
  'partition-keys',
  'partition-invalid-index',
  'index-invalid',
  'index-redundant',
  'index-stray',
  'vector-index',
  'vector-recall',
  'vector-lists',
]);

/** Why a check that works on PostgreSQL alone has nothing to say of a tenant of Citus, or could only mislead. */
export async function unseenOnCitus({ id }: Check, subject: Subject): Promise<Outcome | undefined> {
  if (subject.session.info.runsCitus !== true) return undefined;
  const place = await subject.once(readPlace);
  if (place === undefined) return undefined;
  if (id === 'app-role-logs-in') return { notApplicable: 'Citus logs in to its nodes as authenticated' };
  if (place.node === null) return undefined;
  if (id === 'policy-cost') return { notApplicable: 'Citus takes no subquery in a policy, so that there is no fix' };
  if (!BLIND.has(id)) return undefined;
  return {
    skipped: `the rows of the schema lie on the node ${place.node}, where this is not looked at`,
    lacksGrant: false,
  };
}
