import pg from 'pg';
import { expect, vi } from 'vitest';

import type { ServerDatabase } from './database.js';
import { chance } from './chance.js';
import { startCli, type CliResult } from './run-cli.js';
import { waitFor } from './wait-for.js';

const PRELOAD = new URL('kill-at-query.js', import.meta.url);

/** A run of aisec in this process. */
type Run = () => Promise<CliResult>;

function isOfAisec(client: unknown): boolean {
  const { connectionParameters } = client as { connectionParameters: { application_name?: string } };
  return connectionParameters.application_name?.startsWith('aisec') === true;
}

/** How many statements a run sends that succeeds. */
export async function countStatements(run: Run): Promise<number> {
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  const { exitCode, stderr } = await run();
  const count = sent.mock.contexts.filter((client) => isOfAisec(client)).length;
  sent.mockRestore();
  expect(exitCode, stderr).toBe(0);
  return count;
}

function textOf(statement: unknown): string {
  return typeof statement === 'string' ? statement : String((statement as { readonly text?: unknown }).text);
}

/**
 * Runs it, and does something before it sends its statement at `position`, the first of which is 1, or the first one with that
 * text. It is done once; false of `isReached` means never.
 */
export async function doneAt(
  place: number | RegExp,
  act: (client: pg.Client) => Promise<unknown>,
  run: Run,
): Promise<CliResult & { readonly isReached: boolean }> {
  const query = Reflect.get(pg.Client.prototype, 'query') as (this: pg.Client, ...args: unknown[]) => unknown;
  let sent = 0;
  let isReached = false;
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    const send = (): unknown => query.apply(this, args);
    if (!isOfAisec(this)) return send() as never;
    sent += 1;
    const isThere = typeof place === 'number' ? sent === place : !isReached && place.test(textOf(args[0]));
    if (!isThere) return send() as never;
    isReached = true;
    return act(this).then(send) as never;
  });
  try {
    const result = await run();
    return { ...result, isReached };
  } finally {
    vi.restoreAllMocks();
  }
}

/** Runs it, and ends the backend of aisec in the place of its statement at `place`, as `doneAt` has it. */
export async function terminatedAt(
  place: number | RegExp,
  { admin }: ServerDatabase,
  run: Run,
): Promise<CliResult & { readonly isReached: boolean }> {
  return doneAt(
    place,
    (client) => {
      const pid = (client as unknown as { processID: number }).processID;
      return admin.query('select pg_terminate_backend($1, 60000)', [pid]);
    },
    run,
  );
}

/** The sessions of a run that was killed end, and give their locks back, a moment after it. */
export async function untilGone({ admin }: ServerDatabase): Promise<void> {
  await waitFor(async () => {
    const { rows } = await admin.query(
      "select from pg_stat_activity where datname = current_database() and application_name like 'aisec%'",
    );
    return rows.length === 0;
  });
}

export interface KilledRun {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Starts the program and ends it by SIGKILL in the place of its statement at `position`, or of the first with that text:
 * where the number of statements depends on how long they take, as with batches, no position is sure.
 */
export async function killedAt(position: number | string, { args, env, cwd }: KilledRun): Promise<CliResult> {
  return startCli(args, {
    env: { ...env, NODE_OPTIONS: `--import=${PRELOAD.href}`, KILL_AT_QUERY: String(position) },
    ...(cwd !== undefined && { cwd }),
  }).finished;
}

/** Every `step`-th position from a random one on. */
export function positions(statements: number, step: number): readonly number[] {
  const first = 1 + Math.floor(chance()() * step);
  return Array.from({ length: Math.max(0, Math.ceil((statements - first + 1) / step)) }, (_, n) => first + n * step);
}
