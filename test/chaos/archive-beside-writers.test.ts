import { afterEach, beforeEach, expect, test } from 'vitest';

import { waitFor } from '../support/wait-for.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../support/database.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { rounds, seedOfTest } from '../support/chance.js';
import { ONE_CONVERSATION, rowsOf } from '../integration/partitions/messages.js';
import { startWriters, type RunningWriters } from '../integration/partitions/writers.js';
import { monthAgo } from '../integration/archive/chat.js';

const ARCHIVED = monthAgo(9);
const MOVED = monthAgo(8);
const EXACT = monthAgo(6);
const MONTHS = [ARCHIVED, MOVED, EXACT, monthAgo(0)];
/** Another session was in the way for longer than the command waits. */
const RUN_LOCK = 5;

describeOnServer('messages that move to the archive and back', () => {
  let database: ServerDatabase;
  let writers: RunningWriters | undefined;
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
    await database.admin.query('select ensure_message_partitions(0, $1)', [`${ARCHIVED}-01`]);
  });
  afterEach(async () => {
    await writers?.end();
  });
  const run = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database.url } });

  /** Until it gets its locks: writers are at work in every month that moves. */
  async function runUntilDone(...args: readonly string[]): Promise<void> {
    for (;;) {
      const { exitCode, stdout, stderr } = await run(...args);
      if (exitCode === 0) return;
      expect(exitCode, stdout + stderr).toBe(RUN_LOCK);
    }
  }

  async function callUntilDone(call: string): Promise<void> {
    for (;;) {
      try {
        await database.admin.query(`select ${call}`);
        return;
      } catch (error) {
        const { code, detail = '' } = error as { code: string; detail?: string };
        expect(['55P03', '55000'], detail).toContain(code);
      }
    }
  }

  test('are neither lost, doubled nor hidden under writers of every isolation and replication role, COPY and two-phase commits', async () => {
    const seed = seedOfTest();
    for (let round = 0; round < rounds(1, 10); round += 1) {
      writers = startWriters(database, MONTHS, seed + round * 100);
      await runUntilDone('archive', '--older-than', '8mo', '--no-analyze');
      await runUntilDone('archive', 'restore', ARCHIVED);
      await callUntilDone(`archive_old_messages('7 months')`);
      await callUntilDone(`archive_old_messages('7 months')`);
      await runUntilDone('archive', '--exact', '--older-than', '6mo', '--batch', '20', '--no-analyze');
      await runUntilDone('archive', 'restore', MOVED);
      await runUntilDone('partitions', 'ensure');
      const { operations } = writers;
      await waitFor(() => Promise.resolve(operations() > 50));
      await writers.stop();
      await database.admin.query('delete from conversations');
      expect(await rowsOf(database, 'select from message_keys')).toEqual([]);
      await database.admin.query('delete from users');
      await database.admin.query(ONE_CONVERSATION);
    }
  }, 900_000);
});
