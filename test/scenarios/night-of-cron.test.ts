import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { describeOnPrivateServer, startPrivateServer } from '../support/private-server.js';
import { runInProcess } from '../support/run-in-process.js';
import { fill, withSmallDisk } from '../support/small-disk.js';
import { waitFor } from '../support/wait-for.js';

interface CronJob {
  readonly hour: number;
  readonly minute: number;
  readonly isDaily: boolean;
  readonly command: string;
}

/** What cron would mail of a job, and how the job ended. */
interface Ran {
  readonly command: string;
  readonly exitCode: number;
  readonly mail: string;
}

/** What cron gives beside what the crontab sets. man 5 crontab */
const OF_CRON = { LOGNAME: 'root', SHELL: '/bin/sh', PATH: '/usr/bin:/bin' };
/** The hour in which those of every hour are run: after those of the night. */
const HOUR = 6;
const BROKEN = `
  do $$ declare partition regclass; begin
    for partition in select inhrelid from pg_inherits where inhparent = 'messages'::regclass and inhrelid <> 'messages_default'::regclass
    loop execute format('drop table %s', partition); end loop;
  end $$;
  create publication cdc for table messages_default;
  begin; update users set is_active = is_active; prepare transaction 'left over'`;

describeOnPrivateServer('a night of the crontab that aisec schedule prints', () => {
  const home = mkdtempSync(path.join(tmpdir(), 'aisec-test-night-'));
  const backups = path.join(home, 'backups');
  const messages: string[] = [];
  let environment: Readonly<Record<string, string>> = {};
  let jobs: readonly CronJob[] = [];
  let url = '';
  let hook: Server;

  beforeAll(async () => {
    const server = await startPrivateServer({ max_prepared_transactions: '2', wal_level: 'logical' });
    url = await server.createDatabase('night', { migrated: true });
    const env = { DATABASE_URL: url, AISEC_ADMIN_PASSWORD: 'of this test alone: 9c41' };
    expect(await runInProcess(['seed'], { env })).toMatchObject({ exitCode: 0 });
    hook = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        messages.push((JSON.parse(body) as { readonly text: string }).text);
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const files = { 'database-url': url, 'notify-url': `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` };
    for (const [name, text] of Object.entries(files))
      writeFileSync(path.join(home, name), `${text}\n`, { mode: 0o600 });
    const args = ['--notify', '--history', path.join(home, 'doctor.json'), '--dir', backups];
    const printed = await runInProcess(
      ['schedule', 'crontab', ...args, '--database-url-file', path.join(home, 'database-url')],
      {
        env: {
          AISEC_NOTIFY_URL_FILE: path.join(home, 'notify-url'),
          AISEC_PG_BIN: path.dirname(execFileSync('/bin/sh', ['-c', 'command -v pg_dump'], { encoding: 'utf8' })),
          AISEC_THRESHOLDS: 'blocked-time=1ms:2ms,prepared-transaction=1ms:2ms',
        },
      },
    );
    ({ environment, jobs } = readCrontab(printed.stdout));
  });
  afterAll(() => {
    hook.close();
    rmSync(home, { recursive: true, force: true });
  });

  function cron(command: string): Promise<Ran> {
    return new Promise((resolve) => {
      const env = { ...OF_CRON, HOME: home, ...environment };
      const child = execFile('/bin/sh', ['-c', command], { env, cwd: home }, (error, stdout, stderr) =>
        resolve({ command, exitCode: Number(error?.code ?? 0), mail: `${stdout}${stderr}` }),
      );
      child.stdin?.end();
    });
  }

  async function night(due: readonly CronJob[]): Promise<readonly Ran[]> {
    const ran: Ran[] = [];
    for (const { command } of due) ran.push(await cron(command));
    return ran;
  }
  test('a good one mails nothing and sends nothing; a bad one mails a readable block for each job that fails, and sends one message', async () => {
    await withSmallDisk(backups, 16 * 1024 * 1024, async () => {
      const good = await night(jobs);
      expect(good).toHaveLength(8);
      for (const job of good) expect(job).toMatchObject({ exitCode: 0, mail: '' });
      expect(messages).toEqual([]);

      const admin = new pg.Client({ connectionString: url });
      await admin.connect();
      for (const sql of BROKEN.split(/;\n(?= {2}(?:create|begin))/)) await admin.query(sql);
      const blocked = new pg.Client({ connectionString: url, application_name: 'a service' });
      await blocked.connect();
      const update = blocked.query('update users set is_active = is_active');
      await waitFor(
        async () => (await admin.query("select from pg_stat_activity where wait_event_type = 'Lock'")).rows.length > 0,
      );
      fill(backups);
      // No Sunday and no first of a month; the next hour finds the same, and the one who is on call knows it already.
      const bad = await night([
        ...jobs.filter(({ isDaily }) => isDaily),
        ...jobs.filter(({ command }) => command.includes(' doctor ')),
      ]);
      expect(bad).toHaveLength(7);
      const failed = new Map(bad.filter(({ exitCode }) => exitCode !== 0).map((job) => [wordsOf(job.command), job]));
      for (const { exitCode, mail } of bad) expect(exitCode === 0).toBe(mail === '');
      expect(failed.get('backup')).toMatchObject({ exitCode: 1, mail: expect.stringMatching(/^error: .*\n/) });
      expect(failed.get('partitions ensure')).toMatchObject({
        exitCode: 1,
        mail: expect.stringContaining('alter publication cdc drop table public.messages_default;'),
      });
      expect(failed.get('doctor')).toMatchObject({ exitCode: 3 });
      const ids = [...(failed.get('doctor')?.mail ?? '').matchAll(/^critical\t[^\t]+\t([^\t]+)/gm)].map(([, id]) => id);
      for (const id of [/^transaction-prepared:/, /^sessions-blocked:/, /^partition-/])
        expect(ids).toContainEqual(expect.stringMatching(id));
      for (const { mail } of failed.values()) expect(mail).not.toMatch(/\n\s+at |\p{Cc}\[/u);
      expect(messages).toHaveLength(1);
      expect(messages[0]).toContain(`${ids.length} new, 0 gone`);
      for (const id of ids) expect(messages[0]).toContain(`[${id}]`);

      await admin.query(`rollback prepared 'left over'`);
      await update;
      await Promise.all([admin.end(), blocked.end()]);
    });
  }, 900_000);
});

/** The first words of a line: which command it is. */
function wordsOf(command: string): string {
  return /aisec\.js '?((?:[a-z]+ ?)+?)(?: --|$)/.exec(command)?.[1] ?? command;
}

/** What cron reads: settings, and lines in the order in which a night runs them. */
function readCrontab(text: string): {
  readonly environment: Readonly<Record<string, string>>;
  readonly jobs: readonly CronJob[];
} {
  const environment: Record<string, string> = {};
  const jobs: CronJob[] = [];
  for (const line of text.split('\n')) {
    const [, name, value] = /^([A-Z_]+)=["']?(.*?)["']?$/.exec(line) ?? [];
    if (name !== undefined) environment[name] = value ?? '';
    const [, minute, hour, days, command] = /^(\d+) (\S+) (\S+ \S+ \S+) +(.+)$/.exec(line) ?? [];
    if (command === undefined) continue;
    jobs.push({
      hour: hour === '*' ? HOUR : Number(hour),
      minute: Number(minute),
      isDaily: days === '* * *',
      command: command.replaceAll('\\%', '%'),
    });
  }
  return { environment, jobs: jobs.toSorted((a, b) => a.hour - b.hour || a.minute - b.minute) };
}
