import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { directoryOfGoodBackup } from '../../support/good-backup.js';
import { describeOnPrivateServer, startPrivateServer } from '../../support/private-server.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { EXPECTED_NOTICES } from './faults.js';

interface Diagnosis {
  readonly durationMs: number;
  readonly role: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly { readonly id: string }[];
  readonly skipped: readonly { readonly check: string; readonly message: string; readonly fix: string | null }[];
}

describeOnPrivateServer('aisec doctor on a healthy database', () => {
  let url = '';
  let backups = '';
  const clients: pg.Client[] = [];

  async function connect(name: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, application_name: name });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  }
  async function doctor(address: string, ...args: readonly string[]): Promise<Diagnosis & { readonly run: CliResult }> {
    const run = await runInProcess(['doctor', '--json', ...args], {
      env: { DATABASE_URL: address, AISEC_BACKUP_DIR: backups },
    });
    const diagnosis = JSON.parse(run.stdout) as Diagnosis;
    // Without REDIS_URL there is no Redis to look at, which is told all the same.
    const [ofRedis, skipped] = [true, false].map((isRedis) =>
      diagnosis.skipped.filter(({ check }) => check.startsWith('redis-') === isRedis),
    );
    expect(ofRedis!.map(({ message }) => message.split(';')[0])).toEqual(Array(5).fill('REDIS_URL is not set'));
    return { ...diagnosis, skipped: skipped!, run };
  }
  // Which versions have known faults depends on what the tests run on; versions.test.ts looks at those.
  const ids = ({ findings }: Diagnosis): readonly string[] =>
    findings.flatMap(({ id }) => (id.startsWith('version-') ? [] : [id])).toSorted();

  beforeAll(async () => {
    const server = await startPrivateServer();
    url = await server.createDatabase('healthy', { migrated: true });
    backups = await directoryOfGoodBackup('healthy');
    const seed = await runInProcess(['seed'], {
      env: { DATABASE_URL: url, AISEC_ADMIN_PASSWORD: 'quiet-lamp-river-7' },
    });
    expect(seed.exitCode).toBe(0);
  });
  afterAll(() => Promise.all(clients.map((client) => client.end())));

  test('has only the expected notices, in text, TSV and as a plugin, with exit 0', async () => {
    const found = await doctor(url);
    expect(found.run.exitCode).toBe(0);
    expect(ids(found)).toEqual(EXPECTED_NOTICES);
    // Those of versions depend on what the machine has.
    const notice = found.findings.length;
    expect(found.counts).toMatchObject({ critical: 0, warning: 0, notice, skipped: 5, ignored: 0 });
    const piped = await runInProcess(['doctor'], { env: { DATABASE_URL: url, AISEC_BACKUP_DIR: backups } });
    expect(piped.stdout.split('\n')[0]).toBe('severity\tarea\tid\tmessage\timpact\tfix');
    expect(piped.stderr).toContain(` checks, ${notice} notices; 5 skipped, 0 ignored, 11 not applicable.\n`);
    const silent = await runInProcess(['doctor', '--quiet', '--only', 'partitions,vectors'], {
      env: { DATABASE_URL: url },
    });
    expect(silent).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    const plugin = await runInProcess(['doctor', '--nagios'], {
      env: { DATABASE_URL: url, AISEC_BACKUP_DIR: backups },
    });
    expect(plugin).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`AISEC OK - ${notice} notices (5 skipped) | `),
    });
  });

  test('does not call a schema healthy that is not there', async () => {
    const run = await runInProcess(['doctor', '--only', 'security', '--schema', 'nope'], {
      env: { DATABASE_URL: url, AISEC_BACKUP_DIR: backups },
    });
    expect(run).toMatchObject({ exitCode: 3, stdout: '' });
    expect(run.stderr).toMatch(/^error: the schema "nope" of database "healthy" at .* is not migrated\n/);
  });

  test('tells a role of few rights what it could not see, and the GRANT that it shows is enough', async () => {
    const admin = await connect('admin');
    await admin.query('create role "Night watch" login');
    const address = Object.assign(new URL(url), { username: 'Night%20watch' }).href;
    const before = await doctor(address);
    expect(before.role).toBe('Night watch');
    expect(before.skipped.map(({ check }) => check)).toEqual([
      'transaction-long',
      'temporary-files',
      'disk-used',
      'vacuum-held-back',
      'autovacuum-workers',
      'wal-size',
      'default-password',
      'bcrypt-cost',
      'password-format',
      'partition-default-rows',
      'partition-undated-rows',
      'partition-keys',
      'archive-erasures',
      ...['pending', 'late', 'edited', 'missing', 'newer', 'foreign', 'renamed', 'unpaired', 'incomplete'].map(
        (kind) => `migration-${kind}`,
      ),
      'vector-index',
      'vector-recall',
      'vector-lists',
      'sequence-end',
    ]);
    expect(before.run.exitCode).toBe(0);
    const as = await doctor(url, '--role', 'Night watch');
    expect({ role: as.role, skipped: as.skipped }).toEqual({ role: 'Night watch', skipped: before.skipped });
    const nobody = await runInProcess(['doctor', '--role', 'nobody here'], { env: { DATABASE_URL: url } });
    expect(nobody).toMatchObject({ exitCode: 2, stdout: '' });
    expect(nobody.stderr).toContain('error: the role "nobody here" of --role does not exist');
    const notMember = await runInProcess(['doctor', '--role', 'authenticated'], { env: { DATABASE_URL: address } });
    expect(notMember).toMatchObject({ exitCode: 1, stdout: '' });
    const strict = await runInProcess(['doctor', '--nagios', '--strict', '--only', 'migrations,indexes'], {
      env: { DATABASE_URL: address, AISEC_BACKUP_DIR: backups },
    });
    expect(strict).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('UNKNOWN - 8 notices (9 skipped)') });
    const nothing = await runInProcess(['doctor', '--only', 'migrations'], {
      env: { DATABASE_URL: address, AISEC_BACKUP_DIR: backups },
    });
    expect(nothing).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining('skipped\tmigrations\tmigration-pending'),
    });

    const grants = new Set(before.skipped.map(({ fix }) => fix));
    for (const grant of grants) await admin.query(String(grant));
    const after = await doctor(address);
    expect(after.skipped).toEqual([]);
    expect(ids(after)).toEqual(EXPECTED_NOTICES);
  });

  test('ends while others hold and wait for ACCESS EXCLUSIVE, and says what it left out', async () => {
    const [reader, waiter, holder] = [await connect('reader'), await connect('waiter'), await connect('a long ALTER')];
    await reader.query('begin; select from users');
    await holder.query(
      'begin; lock table knowledge_base, messages, messages_default, messages_archive, aisec_migrations, conversations in access exclusive mode',
    );
    const waiting = waiter.query('begin; lock table users in access exclusive mode').catch(() => undefined);
    await waitFor(async () => (await holder.query('select from pg_locks where not granted')).rowCount === 1);
    const found = await doctor(url);
    await reader.query('rollback');
    await holder.query('rollback');
    await waiting;
    await waiter.query('rollback');
    expect(ids(found)).toEqual(EXPECTED_NOTICES);
    const reasons = new Map(found.skipped.map(({ check, message }) => [check, message]));
    expect([...reasons.keys()]).toEqual(
      expect.arrayContaining(['default-password', 'partition-default-rows', 'migration-pending', 'vector-index']),
    );
    expect(reasons.get('default-password')).toMatch(
      /^what it reads is locked by pid \d+ \(a long ALTER\) and pid \d+ \(waiter\), which waits itself$/,
    );
    expect(found.skipped.every(({ fix }) => fix === null)).toBe(true);
  });

  test('survives tables of any name that appear and vanish meanwhile', async () => {
    const maker = await connect('maker');
    let isDone = false;
    let made = 0;
    const making = (async () => {
      for (; !isDone; made += 1)
        await maker.query(`
          create table "a 'b' ""c""; --" (id serial primary key, at uuid references users) with (fillfactor = 50);
          create view "v; ""w""" as select * from "a 'b' ""c""; --";
          drop table "a 'b' ""c""; --" cascade`);
    })();
    for (let round = 0; round < 4; round += 1) {
      const found = await doctor(url);
      expect(found.skipped.filter(({ message }) => !message.includes('locked by'))).toEqual([]);
      expect(ids(found)).toEqual(expect.arrayContaining([...EXPECTED_NOTICES]));
    }
    isDone = true;
    await making;
    expect(made).toBeGreaterThan(4);
  });

  test('changes nothing and leaves no password in the log of statements', async () => {
    const admin = await connect('admin');
    const sums = `select sum(n_tup_ins + n_tup_upd + n_tup_del) as changes from pg_stat_user_tables`;
    await admin.query("alter system set log_statement = 'all'");
    await admin.query('select pg_reload_conf()');
    const { rows: before } = await admin.query(sums);
    await doctor(url);
    const { rows: after } = await admin.query(sums);
    expect(after).toEqual(before);
    const { rows } = await admin.query("select pg_read_file('server.log') as log");
    const { log } = rows[0] as { log: string };
    expect(log).toContain('.crypt(');
    expect(log).not.toContain('admin123');
  });
});
