import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { startCli, type CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { messagesFrom, monthFromNow, ONE_CONVERSATION, rowsOf } from './messages.js';
import { IS_LONG, printedSeed, seeded } from './seeded.js';
import { expectKeys } from './writers.js';

const ROWS = 60;
const ALL_ROWS = `select md5(string_agg(m::text, ',' order by id, created_at)) as sum, count(*)::int as rows from all_messages m`;
const TRACES = `select relname::text as name from pg_class where relname like '%\\_drain' or relname like 'aisec\\_drain%'`;
const PRELOAD = new URL('kill-at-query.js', import.meta.url);

describeOnServer('partitions ensure that is ended between two statements', () => {
  let database: ServerDatabase;
  let filled = 0;
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
    filled = 0;
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const env = (): Readonly<Record<string, string>> => ({ DATABASE_URL: database.url });
  const ensure = (): Promise<CliResult> => runInProcess(['partitions', 'ensure', '--wait', '20s'], { env: env() });

  /** Rows of two months that no earlier call has used, and of the month before an archived one. */
  async function fill(): Promise<void> {
    for (const offset of [-20 - filled * 2, -21 - filled * 2])
      await database.admin.query(messagesFrom(`${monthFromNow(offset)}-05 00:00+00`, ROWS));
    filled += 1;
  }

  /** Nothing is lost, doubled or without its key; a reply, a file and a change go through as ever. */
  async function expectWhole(before: readonly unknown[]): Promise<void> {
    expect(await rowsOf(database, ALL_ROWS)).toEqual(before);
    await expectKeys(database);
  }

  async function expectCompleted(before: readonly unknown[]): Promise<void> {
    expect(await ensure()).toMatchObject({ exitCode: 0 });
    await expectWhole(before);
    expect(await rowsOf(database, 'select from messages_default')).toEqual([]);
    expect(await rowsOf(database, TRACES)).toEqual([]);
  }

  /** How many statements a run sends that drains. */
  async function countStatements(): Promise<number> {
    await fill();
    const sent = vi.spyOn(pg.Client.prototype, 'query');
    expect(await ensure()).toMatchObject({ exitCode: 0 });
    const count = sent.mock.contexts.filter((client) => isOfAisec(client)).length;
    sent.mockRestore();
    return count;
  }

  /** Ends the backend of aisec in the place of its n-th statement. */
  async function ensureTerminatedAt(position: number): Promise<CliResult> {
    const query = Reflect.get(pg.Client.prototype, 'query') as (this: pg.Client, ...args: unknown[]) => unknown;
    let sent = 0;
    vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
      const send = (): unknown => query.apply(this, args);
      if (!isOfAisec(this)) return send() as never;
      sent += 1;
      if (sent !== position) return send() as never;
      const pid = (this as unknown as { processID: number }).processID;
      return database.admin.query('select pg_terminate_backend($1, 5000)', [pid]).then(send) as never;
    });
    const run = await ensure();
    vi.restoreAllMocks();
    return run;
  }

  test('by the end of its backend, at each of them, loses and doubles nothing, and the next run completes', async () => {
    const statements = await countStatements();
    expect(statements).toBeGreaterThan(30);
    const random = seeded(printedSeed('backend terminated'));
    const step = IS_LONG ? 1 : 4;
    let ended = 0;
    for (let position = 1 + Math.floor(random() * step); position <= statements; position += step) {
      await fill();
      const before = await rowsOf(database, ALL_ROWS);
      const run = await ensureTerminatedAt(position);
      if (run.exitCode !== 0) ended += 1;
      await expectWhole(before);
      if (IS_LONG) await expectCompleted(before);
    }
    expect(ended).toBeGreaterThan(5);
    await expectCompleted(await rowsOf(database, ALL_ROWS));
  }, 600_000);

  test('by kill -9 of the program, at each of them, loses and doubles nothing, and the next run completes', async () => {
    const statements = await countStatements();
    const random = seeded(printedSeed('program killed'));
    const step = IS_LONG ? 1 : 12;
    for (let position = 1 + Math.floor(random() * step); position <= statements; position += step) {
      await fill();
      const before = await rowsOf(database, ALL_ROWS);
      const run = await startCli(['partitions', 'ensure', '--wait', '20s'], {
        env: { ...env(), NODE_OPTIONS: `--import=${PRELOAD.href}`, KILL_AT_QUERY: String(position) },
      }).finished;
      expect(run.signal).toBe('SIGKILL');
      await expectWhole(before);
      if (IS_LONG) await expectCompleted(before);
    }
    await expectCompleted(await rowsOf(database, ALL_ROWS));
  }, 600_000);
});

function isOfAisec(client: unknown): boolean {
  const { connectionParameters } = client as { connectionParameters: { application_name?: string } };
  return connectionParameters.application_name?.startsWith('aisec') === true;
}
