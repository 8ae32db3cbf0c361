import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { beforeAll, describe, expect, test } from 'vitest';

import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { createMigratedEmbedded, queryEmbedded } from '../support/migrated-embedded.js';
import { runInProcess } from '../support/run-in-process.js';
import { seedsDirectory } from '../support/seeds-directory.js';

const PASSWORD = `it's "grün" \\ $1 用`;
/** As in the design document, section 初期データ投入. */
const SETTINGS = [
  { key: 'app_version', value: '1.0.0', description: 'アプリケーションバージョン' },
  { key: 'default_llm_model', value: 'gemini-pro', description: 'デフォルトLLMモデル' },
  { key: 'max_file_size', value: 10_485_760, description: '最大ファイルサイズ（バイト）' },
  { key: 'supported_file_types', value: ['pdf', 'txt', 'docx', 'md'], description: 'サポートされるファイルタイプ' },
];

async function passwordFile(text: string | Buffer, mode = 0o600): Promise<string> {
  const file = path.join(await createEmbeddedDirectory(), 'password');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describeOnServer('aisec seed', () => {
  let database: ServerDatabase;
  let env: Readonly<Record<string, string>> = {};
  const query = async (sql: string, params: readonly unknown[] = []): Promise<readonly unknown[]> =>
    (await database.admin.query(sql, params)).rows;
  const settings = (): Promise<readonly unknown[]> =>
    query('select key, value, description from system_settings order by key');
  const countUsers = (): Promise<readonly unknown[]> => query('select count(*)::int as users from users');
  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    env = { DATABASE_URL: database.url };
  });

  test('without a password and a terminal is refused, exit 6, names both ways and changes nothing', async () => {
    for (const more of [{}, { AISEC_ADMIN_PASSWORD: '' }]) {
      const result = await runInProcess(['seed'], { env: { ...env, ...more } });
      expect(result.exitCode).toBe(6);
      expect(result.stdout).toBe('');
      expect(result.stderr).toMatch(/AISEC_ADMIN_PASSWORD.*--admin-password-file/);
    }
    expect(await settings()).toEqual([]);
  });

  test('as a dry run lists what it would write and writes nothing', async () => {
    const result = await runInProcess(['seed', '--dry-run', '--json'], {
      env: { ...env, AISEC_ADMIN_PASSWORD: PASSWORD },
    });
    expect(JSON.parse(result.stdout)).toMatchObject({ isDryRun: true, rows: 5, adminPassword: 'given' });
    expect(await settings()).toEqual([]);
    expect(await countUsers()).toEqual([{ users: 0 }]);
  });

  test('writes the settings of the document, byte for byte, and the admin with the password given', async () => {
    const result = await runInProcess(['seed', '--json'], { env: { ...env, AISEC_ADMIN_PASSWORD: PASSWORD } });
    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.stdout)).toEqual({
      formatVersion: 1,
      database: expect.stringContaining(database.name),
      schema: 'public',
      set: 'initial',
      isDryRun: false,
      rows: 5,
      adminPassword: 'given',
      files: [
        {
          name: '01-system-settings.sql',
          rows: 4,
          writes: [{ action: 'insert', table: 'system_settings', rows: 4 }],
        },
        { name: '02-admin-user.sql', rows: 1, writes: [{ action: 'insert', table: 'users', rows: 1 }] },
      ],
    });
    expect(result.stdout + result.stderr).not.toContain(PASSWORD);
    expect(await settings()).toEqual(SETTINGS);
    const admin = await query(
      `select username, email, first_name, last_name, is_verified, is_active, left(password_hash, 7) as kind,
              verify_password($1, password_hash) as accepts, verify_password('admin123', password_hash) as known
       from users`,
      [PASSWORD],
    );
    expect(admin).toEqual([
      {
        username: 'admin',
        email: 'admin@ai-secretary.local',
        first_name: 'Admin',
        last_name: 'User',
        is_verified: true,
        is_active: true,
        kind: '$2a$12$',
        accepts: true,
        known: false,
      },
    ]);
  });

  test('a second time has nothing to do, exit 0, needs no password and keeps a setting that was changed', async () => {
    await query(`update system_settings set value = '"2.0.0"' where key = 'app_version'`);
    const result = await runInProcess(['seed'], { env });
    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
    expect(result.stderr).toContain('nothing to do');
    const another = await runInProcess(['seed'], { env: { ...env, AISEC_ADMIN_PASSWORD: 'another-Pferd-99' } });
    expect(another.exitCode).toBe(0);
    expect(another.stderr).toContain('keeps the password it has');
    const rows = await query(
      `select (select value from system_settings where key = 'app_version') as version,
              verify_password($1, password_hash) as accepts from users`,
      [PASSWORD],
    );
    expect(rows).toEqual([{ version: '2.0.0', accepts: true }]);
  });

  test('brings back what was deleted, and says so tab-separated in a pipe', async () => {
    await query(`delete from system_settings where key = 'max_file_size'`);
    const result = await runInProcess(['seed'], { env });
    expect(result.stdout).toBe(
      'file\taction\ttable\trows\n01-system-settings.sql\tinsert\tsystem_settings\t1\n02-admin-user.sql\tinsert\tusers\t0\n',
    );
  });

  test('does not make a second admin when the first one was given another name', async () => {
    await query(`update users set username = 'keiko'`);
    expect(await runInProcess(['seed', '--quiet'], { env })).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await countUsers()).toEqual([{ users: 1 }]);
  });

  test('takes the first line of a password file before the environment, and warns when others can read it', async () => {
    await query('delete from users');
    const file = await passwordFile('\uFEFFfile-Pferd-1234\r\nsecond line\n', 0o644);
    const result = await runInProcess(['seed', '--quiet', '--admin-password-file', file], {
      env: { ...env, AISEC_ADMIN_PASSWORD: 'another-Pferd-99', AISEC_ENV: 'development' },
    });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toMatch(/^warning: the password file .* \(mode 0644\): chmod 600 it\n$/);
    expect(await query(`select verify_password('file-Pferd-1234', password_hash) as accepts from users`)).toEqual([
      { accepts: true },
    ]);
  });

  test('runs a set of a directory, and tells the place of what failed with nothing kept', async () => {
    const seedsDir = seedsDirectory({
      'team/01-settings.sql': `insert into system_settings (key, value) values ('team', '1') on conflict do nothing;`,
      'bad/01-settings.sql': `insert into system_settings (key, value) values ('bad', '1');`,
      'bad/02-more.sql': `insert into system_settings (key, value) values ('worse', '1');\n\ninsert into system_settings (key, value) values ('worse', null);`,
    });
    const own = { ...env, AISEC_SEEDS_DIR: seedsDir };
    const first = await runInProcess(['seed', '--set', 'team', '--json'], { env: own });
    expect(JSON.parse(first.stdout)).toMatchObject({ set: 'team', rows: 1, adminPassword: null });
    expect((await runInProcess(['seed', '--set', 'team'], { env: own })).stderr).toContain('nothing to do');

    const bad = await runInProcess(['seed', '--set', 'bad', '--json'], { env: own });
    expect(bad.exitCode).toBe(1);
    expect(JSON.parse(bad.stderr)).toMatchObject({
      error: {
        code: 'SEED_FAILED',
        sqlState: '23502',
        file: path.join(seedsDir, 'bad/02-more.sql'),
        line: 3,
        column: 1,
      },
    });
    expect(await query(`select key from system_settings where key in ('bad', 'worse')`)).toEqual([]);
  });

  test('never lets an error quote the password', async () => {
    const seedsDir = seedsDirectory({
      'row/01-a.sql': `insert into system_settings (key, value, description) values ('a', null, current_setting('aisec.admin_password'));`,
      'cast/01-a.sql': `insert into system_settings (key, value) select 'a', to_jsonb(current_setting('aisec.admin_password')::int);`,
    });
    for (const [set, ...format] of [['row', '--json', '--verbose'], ['cast']] as const) {
      const result = await runInProcess(['seed', '--set', set, '--seeds-dir', seedsDir, ...format], {
        env: { ...env, AISEC_ADMIN_PASSWORD: 'secret-Pferd-1234' },
      });
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain('01-a.sql');
      expect(result.stdout + result.stderr).not.toContain('secret-Pferd');
    }
  });
});

describe('aisec seed on the embedded database', () => {
  test('writes the settings and the admin, and has nothing to do a second time', async () => {
    const dataDir = await createMigratedEmbedded();
    const env = { AISEC_DATA_DIR: dataDir, AISEC_ADMIN_PASSWORD: PASSWORD };
    const first = await runInProcess(['seed', '--json'], { env });
    expect(JSON.parse(first.stdout)).toMatchObject({ rows: 5, database: expect.stringContaining('embedded database') });
    expect(
      await queryEmbedded(
        dataDir,
        `select (select count(*)::int from system_settings) as settings, verify_password($1, password_hash) as accepts
         from users`,
        [PASSWORD],
      ),
    ).toEqual([{ settings: 4, accepts: true }]);
    expect((await runInProcess(['seed'], { env })).stderr).toContain('nothing to do');
  });
});

describe('aisec seed before it opens a database', () => {
  /** Nothing listens there: exit 2 proves that no connection was tried. */
  const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' };

  test.each([
    ['a password that everybody knows', { AISEC_ADMIN_PASSWORD: 'admin123' }, /AISEC_ADMIN_PASSWORD is shorter/],
    ['the same, longer', { AISEC_ADMIN_PASSWORD: 'Admin123Admin123' }, /AISEC_ADMIN_PASSWORD is made of well-known/],
  ])('refuses %s, exit 2, also in production', async (_title, more, message) => {
    const result = await runInProcess(['seed'], { env: { ...env, ...more, AISEC_ENV: 'production' } });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toContain(Object.values(more)[0]);
  });

  test.each([
    ['empty', '', /is empty/],
    ['with an empty first line', '\nkorrekt-Pferd-77\n', /is empty/],
    ['not UTF-8', Buffer.from([0x61, 0xff, 0xfe]), /not valid UTF-8/],
  ])('refuses a password file that is %s, exit 2', async (_title, text, message) => {
    const result = await runInProcess(['seed', '--admin-password-file', await passwordFile(text)], { env });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(message);
  });

  test.each(['../initial', '..', '.', '/etc', 'initial/../initial', 'INITIAL', 'a b'])(
    'refuses the set name "%s", exit 2',
    async (name) => {
      const result = await runInProcess(['seed', '--set', name], { env });
      expect(result.exitCode).toBe(2);
      expect(result.stderr).toContain(`invalid seed set name "${name}"`);
    },
  );

  test('tells the nearest set for one that is not there', async () => {
    const result = await runInProcess(['seed', '--set', 'intial'], { env });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('Did you mean "initial"?');
  });

  test.each([
    ['an empty file', { '01-a.sql': '' }, /01-a\.sql:1/],
    ['a file that is not UTF-8', { '01-a.sql': Buffer.from([0x2d, 0x2d, 0xff]) }, /01-a\.sql"[^]*not valid UTF-8/],
    ['a file without a number', { 'a.sql': 'insert into a values (1);' }, /a\.sql:1/],
    ['two files of one number', { '01-a.sql': 'x', '01-b.sql': 'x' }, /the number 01 is already taken by 01-a\.sql/],
    ['a syntax error', { '01-a.sql': '-- ok\ninsert inot a;' }, /01-a\.sql:2:8\n[^]*insert inot a;\n *\| {8}\^/],
    ['a COMMIT', { '01-a.sql': 'insert into a values (1); commit;' }, /01-a\.sql:1:27/],
    ['no files', { 'README.md': 'soon' }, /has no files/],
  ])('refuses a set with %s, exit 2, with the name of the file', async (_title, files, message) => {
    const tree = Object.fromEntries(Object.entries(files).map(([name, text]) => [`own/${name}`, text as string]));
    const result = await runInProcess(['seed', '--set', 'own', '--seeds-dir', seedsDirectory(tree)], { env });
    expect(result.stderr).toMatch(message);
    expect(result.exitCode).toBe(2);
  });

  test('says that there is no database when there is none', async () => {
    const result = await runInProcess(['seed'], { env: { AISEC_ADMIN_PASSWORD: 'korrekt-Pferd-77' } });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('aisec migrate up');
  });

  test('tells the nearest verb for one that is not there', async () => {
    const result = await runInProcess(['seed', 'lsit']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('Did you mean "aisec seed list"?');
  });
});
