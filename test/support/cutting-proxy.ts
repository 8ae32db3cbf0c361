import { connect, createServer, type Socket } from 'node:net';

/**
 * What happens to the bytes: all are passed on, all but what the server announces by itself, those of the client with a word
 * in place of another of the same length, none of the server from some word of the client on, or those of the server up to
 * a word. These two end with the connection. Or bytes of the server from one word on are held until another, and arrive together.
 * Or, of HTTP, requests whose first bytes match have an answer of the proxy's, as often as is said, and the others are passed on.
 * Or so many of these are passed on, and at the next one the callback is called and nothing passed on any more.
 */
type Fate =
  | 'pass'
  | 'without notifications'
  | { readonly rewrites: readonly [string, string] }
  | { readonly swallowAfterClientSays: RegExp }
  | { readonly cutAfterServerSays: string }
  | { readonly holdsFrom: string; readonly until: string }
  | { readonly answers: RegExp; readonly with: string; times: number }
  | { readonly stopsAt: RegExp; after: number; readonly stop: () => void };

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
    let rest: Buffer = Buffer.alloc(0);
    incoming.on('data', (bytes: Buffer) => {
      const said = bytes.toString('latin1');
      if (typeof fate === 'object' && 'swallowAfterClientSays' in fate)
        isDeaf ||= fate.swallowAfterClientSays.test(said);
      if (typeof fate === 'object' && 'answers' in fate && fate.times > 0 && fate.answers.test(said)) {
        fate.times -= 1;
        incoming.end(fate.with);
        return;
      }
      if (typeof fate === 'object' && 'stopsAt' in fate && fate.stopsAt.test(said)) {
        if (fate.after === 0) fate.stop();
        fate.after -= 1;
      }
      if (typeof fate === 'object' && 'stopsAt' in fate && fate.after < 0) return;
      if (typeof fate === 'object' && 'rewrites' in fate) outgoing.write(said.replace(...fate.rewrites), 'latin1');
      else outgoing.write(bytes);
    });
    outgoing.on('data', (bytes: Buffer) => {
      if (isDeaf) {
        cut();
      } else if (typeof fate === 'object' && 'cutAfterServerSays' in fate && bytes.includes(fate.cutAfterServerSays)) {
        incoming.write(bytes.subarray(0, bytes.indexOf(fate.cutAfterServerSays) + fate.cutAfterServerSays.length), cut);
      } else if (
        typeof fate === 'object' &&
        'holdsFrom' in fate &&
        (rest.length > 0 || bytes.includes(fate.holdsFrom))
      ) {
        rest = Buffer.concat([rest, bytes]);
        if (rest.includes(fate.until)) incoming.write(rest);
      } else if (fate === 'without notifications') {
        const [messages, incomplete] = split(Buffer.concat([rest, bytes]));
        rest = incomplete;
        for (const message of messages) if (message[0] !== NOTIFICATION) incoming.write(message);
      } else {
        incoming.write(bytes);
      }
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

/** https://www.postgresql.org/docs/16/protocol-message-formats.html */
const NOTIFICATION = 'A'.charCodeAt(0);

/** Whole messages of the server (a letter, the length of the rest, the rest), and the beginning of the next one. */
function split(bytes: Buffer): readonly [readonly Buffer[], Buffer] {
  const messages: Buffer[] = [];
  let at = 0;
  while (bytes.length >= at + 5 && bytes.length >= at + 1 + bytes.readUInt32BE(at + 1)) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at, end));
    at = end;
  }
  return [messages, bytes.subarray(at)];
}
