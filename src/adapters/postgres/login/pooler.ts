import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';
import { unlessSilent } from '../../../base/interruption.js';

const LOGIN_WITHIN_MS = 3000;
/** A pooler in session mode whose connections are all taken lets the probe wait: that is no sign of the other mode. */
const PROBE_WITHIN_MS = 1000;
const PROBES = 2;

async function pidOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
  return rows[0]?.pid;
}

function within<Result>(limitMs: number, work: Promise<Result>): Promise<Result | undefined> {
  return unlessSilent(
    limitMs,
    work.catch(() => undefined),
    () => undefined,
  );
}

/**
 * Whether the pooler gives the server process of `client` to others between two statements, as in transaction mode; in
 * session mode it belongs to the client alone. Two further clients each hold a transaction open: what was free they get.
 */
async function isShared(client: pg.Client, pid: number, open: () => Promise<pg.Client>): Promise<boolean> {
  const probes: pg.Client[] = [];
  try {
    for (let number = 0; number < PROBES; number += 1) {
      const probe = await within(LOGIN_WITHIN_MS, open());
      if (probe === undefined) return false;
      probes.push(probe);
      const asked = probe
        .query('begin')
        .then(() => pidOf(probe))
        .catch(() => undefined);
      let given = await within(PROBE_WITHIN_MS, asked);
      if (given === pid) return true;
      // A late probe that is given our process now lets this wait for the end of its transaction.
      const own = pidOf(client);
      given ??= await Promise.race([asked, own.then(() => undefined)]);
      if (given === pid || (await own) !== pid) return true;
      // It waits for a server process while ours is at rest and answers: nothing is shared, and another probe would wait, too.
      if (given === undefined) return false;
    }
    return false;
  } finally {
    for (const probe of probes)
      (probe as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy();
  }
}

/**
 * The driver's process id comes from the login handshake, the other one from a query: where they differ there is a pooler. One
 * in transaction mode puts session locks and settings on whatever connection comes next.
 *
 * @param open makes another client like this one.
 * @throws AisecError DATABASE_POOLED.
 */
export async function refuseTransactionPooler(
  client: pg.Client,
  {
    label,
    pid,
    source,
    open,
  }: {
    readonly label: string;
    readonly pid: number;
    readonly source: string;
    readonly open: () => Promise<pg.Client>;
  },
): Promise<void> {
  if ((client as unknown as { readonly processID: number | null }).processID === pid) return;
  if (!(await isShared(client, pid, open))) return;
  throw new AisecError('DATABASE_POOLED', `the connection to ${label} goes through a pooler in transaction mode`, {
    detail:
      'Another client was given the same server process between two statements. Session locks and settings do not survive there, so two runs could work at once.',
    hint: `Point ${source} at the PostgreSQL server itself, or at a pooler in session mode.`,
  });
}
