import type { Kysely } from 'kysely';

import { createDatabase } from '../../../src/index.js';
import type { Tables } from './service-role.js';

/** A database whose messages to the server are written down, one entry a round trip. */
export async function countMessages(url: string): Promise<{
  messages: string[];
  proxied: Kysely<Tables>;
  close: () => Promise<void>;
}> {
  const { createServer, connect } = await import('node:net');
  const messages: string[] = [];
  const target = new URL(url);
  const server = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname);
    incoming.on('data', (bytes: Buffer) => {
      messages.push(bytes.toString('latin1'));
      outgoing.write(bytes);
    });
    outgoing.on('data', (bytes: Buffer) => incoming.write(bytes));
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const)
      one.on('close', () => other.destroy()).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const proxied = createDatabase<Tables>({
    url: Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href,
    poolSize: 1,
    maxOverflow: 0,
  });
  const close = async (): Promise<void> => {
    await proxied.destroy();
    server.close();
  };
  return { messages, proxied, close };
}
