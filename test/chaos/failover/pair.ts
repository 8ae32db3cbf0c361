import { connect, createServer, type Server, type Socket } from 'node:net';

import pg from 'pg';

import { databaseAddress } from '../../support/database-address.js';
import { startPrivateServer, startStandby, type PrivateServer } from '../../support/private-server.js';
import { waitFor } from '../../support/wait-for.js';

const DATABASE = 'app';

async function connectTo(server: PrivateServer): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: databaseAddress(server.url, DATABASE),
    application_name: 'test of failover',
  });
  // Its server goes.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A primary and its standby; what is committed is on both. After a failover the next pair is made from what is left. */
export class Pair {
  /** On the primary of the moment. */
  admin!: pg.Client;
  #primary!: PrivateServer;
  #standby!: PrivateServer;
  #isWhole = false;

  static async start(): Promise<Pair> {
    const pair = new Pair();
    pair.#primary = await startPrivateServer({ fsync: 'off' });
    await pair.#primary.createDatabase(DATABASE, { migrated: true });
    pair.admin = await connectTo(pair.#primary);
    await pair.completed();
    return pair;
  }

  get primaryUrl(): string {
    return databaseAddress(this.#primary.url, DATABASE);
  }

  get standbyUrl(): string {
    return databaseAddress(this.#standby.url, DATABASE);
  }

  /** Another connection to the primary. */
  connect(): Promise<pg.Client> {
    return connectTo(this.#primary);
  }

  /** Both in one address, the primary behind `host` where that is given. */
  url(host = new URL(this.#primary.url).host): string {
    return `postgres://postgres@${host},${new URL(this.#standby.url).host}/${DATABASE}?target_session_attrs=read-write`;
  }

  /** The primary crashes, and the standby is promoted. */
  async failOver(): Promise<void> {
    this.#isWhole = false;
    await this.#primary.stop('immediate');
    const { admin } = this;
    await admin.end().catch(() => undefined);
    this.#primary = this.#standby;
    this.admin = await connectTo(this.#primary);
    await this.admin.query('select pg_promote()');
  }

  /** No server is left: first the standby goes, so that none can be promoted. */
  async loseAll(): Promise<void> {
    await this.#standby.stop('immediate');
    await this.#primary.stop('immediate');
  }

  /** Gives the primary a new standby, if it has lost its own. */
  async completed(): Promise<void> {
    if (this.#isWhole) return;
    this.#isWhole = true;
    this.#standby = await startStandby(this.#primary, { fsync: 'off' });
    await this.admin.query("alter system set synchronous_standby_names = '*'");
    await this.admin.query('select pg_reload_conf()');
    await waitFor(async () => {
      const { rows } = await this.admin.query("select from pg_stat_replication where sync_state = 'sync'");
      return rows.length === 1;
    });
  }
}

/**
 * Stands before the primary until so many pieces were passed on, in either direction and over all connections; then it passes
 * on nothing more, has something done, and goes with all its connections.
 */
export class Tripwire {
  readonly host: string;
  /** True once it has begun to happen. */
  isTripped = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #happened: Promise<void> = Promise.resolve();

  static async start(url: string, pieces: number, happen: () => Promise<void>): Promise<Tripwire> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Tripwire(server, new URL(url), pieces, happen);
  }

  private constructor(server: Server, target: URL, pieces: number, happen: () => Promise<void>) {
    const { port } = server.address() as { port: number };
    this.host = `127.0.0.1:${port}`;
    this.#server = server;
    let left = pieces;
    server.on('connection', (incoming) => {
      const outgoing = connect(Number(target.port), target.hostname);
      for (const [one, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => undefined).on('close', () => other.destroy());
        one.on('data', (bytes: Buffer) => {
          if (this.isTripped) return;
          other.write(bytes);
          left -= 1;
          if (left > 0) return;
          this.isTripped = true;
          this.#happened = happen().finally(() => this.#close());
        });
      }
    });
  }

  /** Resolves when what should happen has happened, or never will. */
  async end(): Promise<void> {
    await this.#happened;
    this.#close();
  }

  #close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
