import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { LOOPBACK, listenUntil, type ListenOptions } from './listen.js';

const TOKEN_BYTES = 24;

/** What is sent for the page itself. */
export interface PageAnswer {
  readonly html: string;
  /** Changes when the page does. */
  readonly version: string;
  /** Of the one script that may run. */
  readonly nonce: string;
}

export interface TokenServerOptions extends Omit<ListenOptions, 'onReady'> {
  readonly onReady: (url: string, port: number) => void;
  /** What there is to be shown now; a rejection ends the server. */
  readonly read: () => Promise<PageAnswer>;
}

/** https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers */
function headers(nonce: string): Record<string, string> {
  return {
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** A page of another site can have its name resolved to this machine; the browser then sends that name. */
function isMeant({ headers: { host } }: IncomingMessage, port: number): boolean {
  return host === `${LOOPBACK}:${port}` || host === `localhost:${port}`;
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...headers(''), 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/**
 * Serves one page to those who have its address, which holds a random token, until the signal comes. It answers GET
 * only and takes nothing in.
 *
 * @throws AisecError USAGE when the port is in use; what `read` throws.
 */
export async function serveWithToken({ read, onReady, port, signal }: TokenServerOptions): Promise<void> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const expected = digest(`/${token}/`);
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  let actualPort = port;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isMeant(request, actualPort)) return refuse(response, 421, 'This address is of another server.');
    if (!timingSafeEqual(digest(request.url ?? ''), expected)) return refuse(response, 404, 'There is no such page.');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'The page is read-only.');
    const { html, version, nonce } = await read();
    const etag = `"${version}"`;
    const common = { ...headers(nonce), etag };
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, common).end();
    response.writeHead(200, { ...common, 'content-type': 'text/html; charset=utf-8' });
    response.end(request.method === 'HEAD' ? undefined : html);
  };
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) refuse(response, 503, 'The database could not be read.');
      fail(error);
    });
  });
  const ready = (given: number): void => {
    actualPort = given;
    onReady(`http://${LOOPBACK}:${given}/${token}/`, given);
  };
  try {
    await listenUntil(server, { port, signal, onReady: ready }, failed);
  } finally {
    server.closeAllConnections();
  }
}
