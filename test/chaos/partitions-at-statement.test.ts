import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import { countStatements, killedAt, positions, terminatedAt } from '../support/kill-at-statement.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { messagesFrom, monthFromNow, ONE_CONVERSATION, rowsOf } from '../integration/partitions/messages.js';
import { IS_LONG, rounds } from '../support/chance.js';
import { expectKeys } from '../integration/partitions/writers.js';

const ROWS = 60;
const ALL_ROWS = `select md5(string_agg(m::text, ',' order by id, created_at)) as sum, count(*)::int as rows from all_messages m`;
const TRACES = `select relname::text as name from pg_class where relname like '%\\_drain' or relname like 'aisec\\_drain%'`;
const ENSURE = ['partitions', 'ensure', '--wait', '20s'];

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
  const ensure = (): Promise<CliResult> => runInProcess(ENSURE, { env: env() });

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

  test('by the end of its backend, at each of them, loses and doubles nothing, and the next run completes', async () => {
    await fill();
    const statements = await countStatements(ensure);
    expect(statements).toBeGreaterThan(30);
    let ended = 0;
    for (const position of positions(statements, rounds(4, 1))) {
      await fill();
      const before = await rowsOf(database, ALL_ROWS);
      const run = await terminatedAt(position, database, ensure);
      if (run.exitCode !== 0) ended += 1;
      await expectWhole(before);
      if (IS_LONG) await expectCompleted(before);
    }
    expect(ended).toBeGreaterThan(5);
    await expectCompleted(await rowsOf(database, ALL_ROWS));
  }, 600_000);

  test('by kill -9 of the program, at each of them, loses and doubles nothing, and the next run completes', async () => {
    await fill();
    const statements = await countStatements(ensure);
    let killed = 0;
    for (const position of positions(statements, rounds(12, 1))) {
      await fill();
      const before = await rowsOf(database, ALL_ROWS);
      const run = await killedAt(position, { args: ENSURE, env: env() });
      // One that gets every lock at once sends fewer statements than one that has to ask again.
      if (run.signal === 'SIGKILL') killed += 1;
      else expect(run).toMatchObject({ exitCode: 0 });
      await expectWhole(before);
      if (IS_LONG) await expectCompleted(before);
    }
    expect(killed).toBeGreaterThan(1);
    await expectCompleted(await rowsOf(database, ALL_ROWS));
  }, 600_000);
});
