import pg from 'pg';
import { beforeAll, afterAll, expect, test } from 'vitest';

import { onTerminal } from '../../support/on-terminal.js';
import { directoryOfGoodBackup } from '../../support/good-backup.js';
import { describeOnPrivateServer, startPrivateServer } from '../../support/private-server.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { waitFor } from '../../support/wait-for.js';
import { EXPECTED_NOTICES, FAULTS, SETTING_FINDINGS, WRONG_SETTINGS } from './faults.js';

/** Only a person can fix them: the impact says how. */
const BY_HAND = [
  'wal-archiver:archiver',
  'wal-waiting:archiver',
  'setting-pending-restart:max_connections',
  'policy-cost:rooms.by_row',
  'primary-key:log',
  // A newer package has to be installed first.
  'version-pgvector:vector',
  // A reset would lock the users out.
  'bcrypt-cost:cost-06',
  'password-format:users',
  'password-format:users/argon2id',
  // The month is not in the database any more.
  'archive-erasures:2024-01',
];

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly message: string;
  readonly impact: string;
  readonly fix: string | null;
  readonly evidence: string | null;
}

interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly skipped: readonly { readonly check: string; readonly message: string }[];
}

describeOnPrivateServer('aisec doctor on a database with many faults', () => {
  let url = '';
  let backups = '';
  let admin: pg.Client;
  let first: Diagnosis;
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: url, AISEC_BACKUP_DIR: backups } });
  const diagnose = async (): Promise<Diagnosis> => JSON.parse((await aisec('doctor', '--json')).stdout) as Diagnosis;
  // Which versions have known faults depends on what the tests run on; versions.test.ts looks at those.
  const ids = ({ findings }: Diagnosis): readonly string[] =>
    findings.flatMap(({ id }) => (id.startsWith('version-') ? [] : [id])).toSorted();
  const wanted = FAULTS.flatMap(([, ...found]) => found);

  beforeAll(async () => {
    const server = await startPrivateServer(WRONG_SETTINGS);
    url = await server.createDatabase('Broken "db"', { migrated: true });
    backups = await directoryOfGoodBackup('Broken "db"');
    admin = new pg.Client({ connectionString: url });
    await admin.connect();
    for (const [sql] of FAULTS) await admin.query(sql);
    await admin.query('select pg_reload_conf()');
    await waitFor(
      async () => (await admin.query('select from pg_stat_archiver where failed_count > 0')).rowCount === 1,
    );
    first = await diagnose();
  });
  afterAll(() => admin.end());

  /** Runs a fix as its reader would: SQL statement by statement, commands of aisec in a shell. */
  async function applyFix({ fix: text }: Finding): Promise<void> {
    for (const line of (text ?? '').split('\n')) {
      if (line.startsWith('aisec ')) expect(await aisec(...line.split(' ').slice(1))).toMatchObject({ exitCode: 0 });
      else for (const sql of line.split(/;\s+/)) if (sql.trim() !== '') await admin.query(sql);
    }
  }

  test('each check finds its faults with their objects, and nothing else', () => {
    // There is no REDIS_URL here: cli/doctor-redis looks at Redis.
    expect(first.skipped.filter(({ check }) => !check.startsWith('redis-'))).toEqual([]);
    expect(ids(first)).toEqual([...wanted, ...SETTING_FINDINGS, ...EXPECTED_NOTICES].toSorted());
    for (const { id, message, impact, fix } of first.findings) {
      for (const text of [message, impact]) expect(text).toMatch(/\S/);
      expect({ id, fix }).toEqual({
        id,
        fix: BY_HAND.includes(id) ? fix : expect.stringMatching(/^(aisec .*|[^#-].*;)$/s),
      });
    }
    const ofLeaves = first.findings.find(({ id }) => id === 'partition-grants:messages/svc_right');
    expect(ofLeaves).toMatchObject({
      severity: 'critical',
      message: expect.stringMatching(/^svc_right has privileges on 2 partitions/),
    });
  });

  test('areas come with their worst finding first, and exit 3, or 2 as a plugin in one line under 1 kB', async () => {
    const severities = first.findings.map(({ severity }) => severity);
    expect(severities[0]).toBe('critical');
    expect(severities.at(-1)).not.toBe('critical');
    const plugin = await aisec('doctor', '--nagios', '--only', 'security');
    expect(plugin).toMatchObject({ exitCode: 2, stderr: '' });
    expect(plugin.stdout).toMatch(
      /^AISEC CRITICAL - \d+ critical, \d+ warnings, 3 notices: [^|\n]+ \| critical=\d+;;0;0 [^\n]*\n$/,
    );
    expect(plugin.stdout.length).toBeLessThan(1024);
  });

  test('on a terminal findings stand under their area with impact and fix, and the closing line counts', async () => {
    const env = { DATABASE_URL: url, AISEC_BACKUP_DIR: backups, NO_COLOR: '1' };
    const { screen, exitCode } = await onTerminal('aisec doctor --only sequences,rls-no-policy', env);
    expect(exitCode).toBe(3);
    expect(screen.replaceAll('\r', '')).toMatch(
      /^sequences\n {2}critical sequence counted_id_seq of counted\.id has used 93 % .* {2}\[sequence-end:counted_id_seq\]\n {11}after .*\n {11}fix: alter table .*\n {16}alter sequence .*;\n {2}warning {2}sequence counted_old_seq .*\n[\s\S]*\n\nsecurity\n {2}warning {2}shut /m,
    );
    expect(screen).toMatch(/: 2 checks, 1 critical, 2 warnings; 0 skipped, 0 ignored\.\s*$/);
  });

  test('a costly policy is timed on rows of its table as it is and mended, when that is asked for', async () => {
    await admin.query(`
      create function slow_member(uuid) returns boolean language plpgsql stable
        as $$ begin perform pg_sleep(0.0002); return true; end $$;
      create function slow_user() returns uuid language plpgsql stable
        as $$ begin perform pg_sleep(0.0002); return gen_random_uuid(); end $$;
      create table timed (id uuid); alter table timed enable row level security, force row level security;
      insert into timed select gen_random_uuid() from generate_series(1, 200);
      create policy by_row on timed using (slow_member(id));
      create table waiting (id uuid); alter table waiting enable row level security, force row level security;
      insert into waiting select gen_random_uuid() from generate_series(1, 200);
      create policy outside on waiting using (id = slow_user());
      create table endless (id uuid); alter table endless enable row level security, force row level security;
      insert into endless select gen_random_uuid();
      create function never() returns uuid language plpgsql stable as $$ begin perform pg_sleep(60); return null; end $$;
      create policy ends on endless using (id = never())`);
    const { stdout } = await aisec('doctor', '--json', '--only', 'policy-cost', '--explain');
    const { findings } = JSON.parse(stdout) as Diagnosis;
    const evidence = (id: string): string | null =>
      findings.find((finding) => finding.id === `policy-cost:${id}`)!.evidence;
    const [, asIs, without] = /^200 rows of timed: ([\d.]+) ms as it is, ([\d.]+) ms without it$/.exec(
      evidence('timed.by_row')!,
    )!;
    expect(Number(asIs)).toBeGreaterThan(5 * Number(without));
    const [, outside, inside] =
      /^200 rows of waiting: ([\d.]+) ms as it is, ([\d.]+) ms with \(select slow_user\(\.\.\.\)\)$/.exec(
        evidence('waiting.outside')!,
      )!;
    expect(Number(outside)).toBeGreaterThan(5 * Number(inside));
    expect(evidence('endless.ends')).toBe(
      '1 row of endless: more than 2000 ms as it is, more than 2000 ms with (select never(...))',
    );
    const piped = await aisec('doctor', '--only', 'policy-cost', '--explain');
    expect(piped.stdout).toMatch(/\tpolicy-cost:timed\.by_row\t.*; timed: 200 rows of timed: /);
    expect((await aisec('doctor', '--only', 'policy-cost')).stdout).not.toContain('timed: ');
    await admin.query('drop table timed, waiting, endless; drop function slow_member(uuid), slow_user(), never()');
  });

  test('a directory of backups that cannot be read is a finding', async () => {
    const run = await runInProcess(['doctor', '--json', '--only', 'backups'], {
      env: { DATABASE_URL: url, AISEC_BACKUP_DIR: import.meta.filename },
    });
    expect((JSON.parse(run.stdout) as Diagnosis).findings).toMatchObject([
      { id: 'backup-state:unreadable', severity: 'critical', impact: expect.stringContaining('not known') },
    ]);
  });

  test('without a directory of backups none is known, which is critical', async () => {
    const run = await runInProcess(['doctor', '--json', '--only', 'backups'], {
      env: { DATABASE_URL: url, AISEC_BACKUP_DIR: `${backups}/not there` },
    });
    expect(run.exitCode).toBe(3);
    expect((JSON.parse(run.stdout) as Diagnosis).findings).toMatchObject([
      { id: 'backup-state:missing', severity: 'critical', message: expect.stringContaining('Broken "db"') },
    ]);
  });

  test('few free connections are told', async () => {
    const others = Array.from({ length: 12 }, () => new pg.Client({ connectionString: url }));
    for (const other of others) await other.connect();
    const run = await aisec('doctor', '--only', 'connections-used');
    for (const other of others) await other.end();
    expect(run).toMatchObject({
      exitCode: 3,
      stdout: expect.stringMatching(/\tconnections-used:max_connections\t\d+ of 17 connections are in use\t/),
    });
  });

  test('an unused slot tells the WAL that it keeps, and without an archive_command each segment that waits is critical', async () => {
    const slot = first.findings.find(({ id }) => id === 'replication-slot:gone');
    expect(slot!.message).toMatch(/is not in use and keeps [1-9]\d* MB of WAL/);
    const waiting = async (command: string): Promise<Finding | undefined> => {
      await admin.query(`alter system set archive_command = '${command}'`);
      await admin.query('select pg_reload_conf()');
      await waitFor(
        async () =>
          (await admin.query(`select where current_setting('archive_command') = '${command}'`)).rowCount === 1,
      );
      const { stdout } = await aisec('doctor', '--json', '--only', 'wal-waiting');
      return (JSON.parse(stdout) as Diagnosis).findings[0];
    };
    expect(await waiting('')).toMatchObject({
      severity: 'critical',
      message: expect.stringMatching(/^\d+ WAL segments wait to be archived, and archive_command is empty$/),
    });
    expect(await waiting('false')).toMatchObject({ severity: 'warning' });
  });

  test('a database whose WAL pgBackRest archives is not called unprotected, unless that fails', async () => {
    const missing = async (): Promise<Finding | undefined> => {
      const run = await runInProcess(['doctor', '--json', '--only', 'backups'], {
        env: { DATABASE_URL: url, AISEC_BACKUP_DIR: `${backups}/not there` },
      });
      return (JSON.parse(run.stdout) as Diagnosis).findings.find(({ id }) => id === 'backup-state:missing');
    };
    // An attempt of the command before may still be under way, and has the other end.
    const setCommand = async (command: string, ends: 'failed' | 'archived'): Promise<void> => {
      const failures = `select ${ends}_count::int as n from pg_stat_archiver`;
      await admin.query(`alter system set archive_command = '${command}'`);
      await admin.query('select pg_reload_conf()');
      const { rows } = await admin.query<{ n: number }>(failures);
      await admin.query("select pg_logical_emit_message(false, 'aisec', 'x'), pg_switch_wal()");
      await waitFor(async () => {
        const later = await admin.query<{ n: number }>(failures);
        return later.rows[0]!.n > rows[0]!.n;
      });
    };
    // What the shell does not run is read all the same.
    await setCommand('true # pgbackrest --stanza=app archive-push %p', 'archived');
    expect(await missing()).toMatchObject({
      severity: 'notice',
      message: expect.stringMatching(/; pgBackRest archived WAL at 20/),
      fix: 'pgbackrest info',
    });
    await setCommand('false # barman-wal-archive backup app %p', 'failed');
    expect(await missing()).toMatchObject({
      severity: 'critical',
      message: expect.stringContaining('; Barman is set up, and archiving WAL fails'),
    });
    await admin.query('alter system reset archive_command');
    await admin.query('select pg_reload_conf()');
  });

  test('the SQL of each finding runs and makes it disappear', async () => {
    // What ends in words for a person is mended by hand here, as those words say.
    await admin.query("alter system set archive_command = 'true'");
    await admin.query('alter system set max_connections = 20');
    await admin.query("delete from archive_journal where file_name like '/not-on-this-machine/%'");
    await admin.query('alter table log add column id uuid default gen_random_uuid() primary key');
    await admin.query('alter policy by_row on rooms using (id = any (array(select id from users)))');
    await admin.query(
      "update users set password_hash = hash_password('set at the next login') where username in ('weak', 'other', 'clear')",
    );
    const isCommand = ({ fix }: Finding): boolean => fix?.startsWith('aisec ') === true;
    const found = first.findings.filter(
      ({ id }) => !id.startsWith('version-') && !EXPECTED_NOTICES.includes(id) && !BY_HAND.includes(id),
    );
    for (const finding of [...found.filter((one) => !isCommand(one)), ...found.filter(isCommand)]) {
      await applyFix(finding).catch((error: unknown) => {
        throw new Error(`the fix of ${finding.id} failed: ${finding.fix}`, { cause: error });
      });
    }
    await waitFor(
      async () => (await admin.query("select from pg_ls_archive_statusdir() where name like '%.ready'")).rowCount === 0,
    );
    // Months that were archived with an index that only messages had.
    const [left, ...others] = (await diagnose()).findings.filter(
      ({ id }) => !id.startsWith('version-') && !EXPECTED_NOTICES.includes(id),
    );
    expect(left).toMatchObject({
      id: 'index-stray:(content_type)',
      message: expect.stringMatching(/^\d partitions have/),
    });
    expect(others).toEqual([]);
    await applyFix(left!);
    expect(ids(await diagnose())).toEqual(EXPECTED_NOTICES);
  });
});
