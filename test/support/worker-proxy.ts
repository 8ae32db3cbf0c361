import { connect, createServer, type Server, type Socket } from 'node:net';

import type pg from 'pg';

import { waitFor } from './wait-for.js';

/** What the nodes were before a test stood between them: a run that was killed may have left it. */
const KEPT = 'public.aisec_test_nodes';

/** Citus refuses to change a table until every node has heard of a new address. */
async function untilHeard(admin: pg.Client): Promise<void> {
  await waitFor(async () => {
    const { rowCount } = await admin.query('select from pg_dist_node where hasmetadata and not metadatasynced');
    return rowCount === 0;
  });
}

/** Gives the nodes the addresses back that they had. */
export async function restoreNodes(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ there: boolean }>('select to_regclass($1) is not null as there', [KEPT]);
  if (rows[0]?.there !== true) return;
  await admin.query(`select citus_update_node(nodeid, nodename, nodeport) from ${KEPT}`);
  await admin.query(`drop table ${KEPT}`);
  await untilHeard(admin);
}

/** A worker that the cluster reaches through this process alone. */
export interface WorkerProxy {
  /** `host:port`, as the coordinator has it. */
  readonly node: string;
  /** Ends all connections to it at once, without a word, and refuses new ones, as a machine does whose server was killed. */
  away(): Promise<void>;
  back(): Promise<void>;
  /** Takes the process out from between them. */
  stop(): Promise<void>;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

/** Puts itself between the cluster and a worker, `host:port`. The nodes have to be on this machine, as 127.0.0.1 is their way to it. */
export async function startWorkerProxy(admin: pg.Client, worker: string): Promise<WorkerProxy> {
  const { hostname, port: ownPort } = new URL(`postgres://${worker}`);
  const sockets = new Set<Socket>();
  const create = (): Server =>
    createServer((incoming) => {
      const outgoing = connect(Number(ownPort), hostname);
      for (const [one, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        sockets.add(one);
        one
          .on('error', () => undefined)
          .on('close', () => {
            sockets.delete(one);
            other.destroy();
          });
        one.on('data', (bytes: Buffer) => other.write(bytes));
      }
    });
  let server: Server | undefined = create();
  const port = await listen(server, 0);
  const away = async (): Promise<void> => {
    const listening = server;
    server = undefined;
    const closed = new Promise((resolve) => (listening === undefined ? resolve(0) : listening.close(resolve)));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await admin.query(`create table ${KEPT} as select nodeid, nodename, nodeport from pg_dist_node where groupid <> 0`);
  await admin.query(
    `select citus_update_node(nodeid, '127.0.0.1', $2) from ${KEPT} where nodename || ':' || nodeport = $1`,
    [worker, port],
  );
  await untilHeard(admin);
  return {
    node: `127.0.0.1:${port}`,
    away,
    back: async () => {
      if (server !== undefined) return;
      server = create();
      await listen(server, port);
    },
    stop: async () => {
      await restoreNodes(admin);
      await away();
    },
  };
}
