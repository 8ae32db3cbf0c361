import { connect, createServer, type Socket } from 'node:net';

/** What happens to the bytes of the server: all are passed on, none, or only those up to a word, and then the end. */
type Fate = 'pass' | { readonly swallowAfterClientSays: RegExp } | { readonly cutAfterServerSays: string };

export interface CuttingProxy {
  readonly url: string;
  /** From now on, for every connection. */
  decide(fate: Fate): void;
  /** Ends all connections at once, without a word. */
  cut(): void;
  stop(): void;
}

/** Stands between a client and the server and cuts connections at a chosen byte. */
export async function startCuttingProxy(url: string): Promise<CuttingProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let fate: Fate = 'pass';
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined).on('close', () => other.destroy());
    }
    let isDeaf = false;
    incoming.on('data', (bytes: Buffer) => {
      isDeaf ||=
        typeof fate === 'object' &&
        'swallowAfterClientSays' in fate &&
        fate.swallowAfterClientSays.test(bytes.toString('latin1'));
      outgoing.write(bytes);
    });
    outgoing.on('data', (bytes: Buffer) => {
      if (isDeaf) return cut();
      if (typeof fate === 'object' && 'cutAfterServerSays' in fate) {
        const at = bytes.indexOf(fate.cutAfterServerSays);
        if (at >= 0) return void incoming.write(bytes.subarray(0, at + fate.cutAfterServerSays.length), cut);
      }
      incoming.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href,
    decide: (next) => (fate = next),
    cut,
    stop: () => {
      cut();
      server.close();
    },
  };
}
