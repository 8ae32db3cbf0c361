import { randomBytes } from 'node:crypto';

import { serveWithToken } from '../../adapters/loopback/token-server.js';
import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { inReadOnly } from './inspection/read-only.js';
import { renderLivePage } from './page/live-page.js';
import type { ReportData } from './page/report-data.js';

export interface Serving {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

export interface ServeOptions {
  readonly port: number;
  readonly signal: AbortSignal;
  readonly onReady: (serving: Serving) => void;
  /** The whole report, which takes a while. */
  readonly read: () => Promise<ReportData>;
}

/** Ages pass their limits though nothing happens. */
const ANYHOW_AFTER_MS = 300_000;
/** However much happens, a report takes no more than a tenth of the time. */
const REST = 9;

interface Shown {
  readonly state: string | undefined;
  readonly html: string;
  readonly version: string;
  readonly readAtMs: number;
  readonly durationMs: number;
}

/** Undefined while a session waits: what is said of it changes by the second. */
async function readState(session: Session): Promise<string | undefined> {
  const { rows } = await inReadOnly(session, () =>
    session.query<{ state: string; is_waiting: boolean }>(sqlFile('monitor/change-mark')),
  );
  const [row] = rows;
  return row === undefined || row.is_waiting ? undefined : row.state;
}

/**
 * Serves the report on this machine, on the one session. It is read again when a browser asks and something has changed:
 * a server that is left alone gets one small query for each look, and without a browser none.
 *
 * @throws AisecError USAGE when the port is in use, CONNECTION_LOST.
 */
export async function serveReport(session: Session, options: ServeOptions): Promise<void> {
  const nonce = randomBytes(16).toString('base64');
  let shown: Shown | undefined;
  let reading: Promise<Shown> | undefined;
  const readAnew = async (): Promise<Shown> => {
    const now = performance.now();
    const age = shown === undefined ? Infinity : now - shown.readAtMs;
    if (shown !== undefined && age < shown.durationMs * REST) return shown;
    const state = await readState(session);
    if (shown !== undefined && state !== undefined && shown.state === state && age < ANYHOW_AFTER_MS) return shown;
    const version = randomBytes(9).toString('base64url');
    const html = renderLivePage(await options.read(), { nonce, version });
    const readAtMs = performance.now();
    return { state, html, version, readAtMs, durationMs: readAtMs - now };
  };
  /** One look at a time: there is one session. */
  const look = async (): Promise<Shown> => {
    reading ??= readAnew().finally(() => {
      reading = undefined;
    });
    shown = await reading;
    return shown;
  };
  await serveWithToken({
    port: options.port,
    signal: options.signal,
    read: async () => ({ ...(await look()), nonce }),
    onReady: (url, port) =>
      options.onReady({ url, host: new URL(url).hostname, port, database: session.info.databaseName }),
  });
}
