import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';

import { describeOnServer, type ServerDatabase } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { archivedName, createChat, fillMonth, liveName, monthAgo } from './chat.js';

const OLD = monthAgo(9);
const MESSAGE = /^[0-9a-f-]{36}\t/u;

interface Dump {
  readonly exitCode: number | null;
  readonly messages: number;
  readonly errors: string;
}

/** A plain pg_dump as anybody takes it; how many messages are in it. */
async function dump(url: string): Promise<Dump> {
  const child = spawn('pg_dump', ['--dbname', url, '--no-owner'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let isMessages = false;
  let messages = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('COPY ')) isMessages = line.startsWith('COPY public.messages_');
    else if (isMessages && MESSAGE.test(line)) messages += 1;
  }
  return { exitCode: await ended, messages, errors };
}

describeOnServer('a plain pg_dump beside months that move', () => {
  let database: ServerDatabase;
  let total = 0;
  beforeEach(async () => {
    database = await createChat();
    await fillMonth(database, OLD, 200);
    const { rows } = await database.admin.query('select count(*)::int as n from all_messages');
    total = rows[0].n;
  });

  test('that waits for a month to be archived has every message or fails naming the month', async () => {
    const mover = new pg.Client({ connectionString: database.url });
    await mover.connect();
    await mover.query(`begin; select aisec_archive_month('${OLD}-01')`);
    const dumping = dump(database.url);
    await waitFor(async () => {
      const { rows } = await database.admin.query(
        `select from pg_locks l join pg_stat_activity a using (pid)
         where a.application_name = 'pg_dump' and a.datname = current_database() and not l.granted`,
      );
      return rows.length > 0;
    });
    await mover.query('commit');
    await mover.end();
    const { exitCode, errors } = await dumping;
    expect(exitCode).toBe(1);
    expect(errors).toContain(liveName(OLD));
    expect(await dump(database.url)).toEqual({ exitCode: 0, messages: total, errors: '' });
    expect((await database.admin.query(`select from ${archivedName(OLD)}`)).rowCount).toBe(200);
  });

  test('has every message or fails, whatever aisec does meanwhile', async () => {
    const run = async (...args: readonly string[]): Promise<void> => {
      const { exitCode, stderr } = await runInProcess(args, { env: { DATABASE_URL: database.url } });
      // 5: the dump was in the way.
      expect([0, 5], stderr).toContain(exitCode);
    };
    let isOver = false;
    const working = (async () => {
      while (!isOver) {
        await run('archive', '--no-analyze', '--max-wait', '5s');
        await run('archive', 'restore', OLD, '--max-wait', '5s');
        await run('archive', '--exact', '--older-than', '8mo', '--no-analyze', '--max-wait', '5s');
        await run('archive', 'restore', OLD, '--max-wait', '5s');
        await run('partitions', 'ensure', '--max-wait', '5s');
      }
    })();
    let whole = 0;
    // One that is caught each time would show nothing of the other kind.
    for (let n = 0; n < 8 || whole === 0; n += 1) {
      const { exitCode, messages, errors } = await dump(database.url);
      if (exitCode === 0) {
        expect(messages).toBe(total);
        whole += 1;
      } else expect(errors).toMatch(/messages_/u);
    }
    isOver = true;
    await working;
  });
});
