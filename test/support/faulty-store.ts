import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

import type { Random } from './chance.js';

/** What happens to a request. `short`: the answer is cut, and framed as if that was all of it. */
export type StoreFault = 'refused' | 'cut' | 'truncated' | 'short' | 'busy' | 'gateway' | 'skewed' | 'slow';

export const STORE_FAULTS: readonly StoreFault[] = [
  'refused',
  'cut',
  'truncated',
  'short',
  'busy',
  'gateway',
  'skewed',
  'slow',
];

const SLOW_MS = 400;

export interface FaultyStore {
  readonly endpoint: string;
  /** Lets some requests through, does this to some, by chance, and then lets all through again. */
  fail(fault: StoreFault, random: Random): void;
  /** How many requests were hit. */
  readonly hits: () => number;
  heal(): void;
  stop(): void;
}

function xml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>by the test</Message></Error>`;
}

/** Stands before a store and hurts some of the requests. */
export async function startFaultyStore(endpoint: string): Promise<FaultyStore> {
  const target = new URL(endpoint);
  let plan: { readonly fault: StoreFault; from: number; times: number } | undefined;
  let hits = 0;

  const faultOfNext = (): StoreFault | undefined => {
    if (plan === undefined || plan.times === 0) return undefined;
    plan.from -= 1;
    if (plan.from >= 0) return undefined;
    plan.times -= 1;
    hits += 1;
    return plan.fault;
  };

  const answer = (incoming: IncomingMessage, outgoing: ServerResponse, status: number, body: string): void => {
    incoming.resume();
    outgoing.writeHead(status, { 'content-type': body.startsWith('<?xml') ? 'application/xml' : 'text/html' });
    outgoing.end(incoming.method === 'HEAD' ? undefined : body);
  };

  const passOn = (incoming: IncomingMessage, outgoing: ServerResponse, fault: StoreFault | undefined): void => {
    const { method, url: path, headers } = incoming;
    const { hostname: host, port } = target;
    // The name of the host is signed, so it stays.
    const passed = request({ host, port, method, path, headers, agent: false }, (found) => {
      const { 'transfer-encoding': _, ...given } = found.headers;
      const status = found.statusCode ?? 500;
      if (method === 'HEAD') {
        // Swift sends a body with some, which is none.
        found.destroy();
        outgoing.writeHead(status, given).end();
        return;
      }
      const chunks: Buffer[] = [];
      found.on('data', (chunk: Buffer) => chunks.push(chunk));
      found.on('end', () => {
        const whole = Buffer.concat(chunks);
        const sent = fault === 'short' || fault === 'truncated' ? whole.subarray(0, whole.length >> 1) : whole;
        outgoing.writeHead(status, { ...given, 'content-length': fault === 'short' ? sent.length : whole.length });
        if (fault === 'truncated') outgoing.write(sent, () => outgoing.destroy());
        else outgoing.end(sent);
      });
    });
    passed.on('error', () => outgoing.headersSent || outgoing.destroy());
    incoming.pipe(passed);
  };

  const server = createServer((incoming, outgoing) => {
    const fault = faultOfNext();
    incoming.on('error', () => undefined);
    switch (fault) {
      case 'refused':
        incoming.socket.destroy();
        return;
      case 'cut':
        incoming.once('data', () => incoming.socket.destroy());
        incoming.once('end', () => incoming.socket.destroy());
        return;
      case 'busy':
        answer(incoming, outgoing, 503, xml('SlowDown'));
        return;
      case 'gateway':
        answer(incoming, outgoing, 502, '<html>bad gateway</html>');
        return;
      case 'skewed':
        answer(incoming, outgoing, 403, xml('RequestTimeTooSkewed'));
        return;
      case 'slow':
        setTimeout(() => passOn(incoming, outgoing, undefined), SLOW_MS);
        return;
      case 'short':
      case 'truncated':
      case undefined:
        passOn(incoming, outgoing, fault);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    fail(fault, random) {
      // The SDK alone tries three times.
      plan = { fault, from: Math.floor(random() * 12), times: random() < 0.5 ? 1 + Math.floor(random() * 4) : 1000 };
    },
    hits: () => hits,
    heal: () => (plan = undefined),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
