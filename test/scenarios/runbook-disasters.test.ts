import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { databaseAddress } from '../support/database-address.js';
import { dropDatabase, newDatabaseName } from '../support/database-names.js';
import { createEmbeddedDirectory, describeOnServer } from '../support/database.js';
import { takeBackup } from '../support/take-backup.js';
import { migratedTemplate } from '../support/template-database.js';

const ROOT = path.join(import.meta.dirname, '../..');
const PAGE = readFileSync(path.join(ROOT, 'docs/runbook.md'), 'utf8');
const [, SECTION = ''] = /^### Small disasters$(.*?)^#{2,3} /ms.exec(PAGE) ?? [];

interface Drill {
  readonly title: string;
  readonly commands: readonly string[];
  readonly output: readonly string[];
}

/** The blocks of the section, each with what is said in front of it. */
const DRILLS = [...SECTION.matchAll(/^([^\n]+):\n\n```\n(.*?)```$/gms)].map(([, title = '', block = '']): Drill => {
  const lines = block.trimEnd().split('\n');
  return {
    title,
    commands: lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2)),
    output: lines.filter((line) => !line.startsWith('$ ')),
  };
});

const FILL = `
  select aisec_make_message_partitions(array['2026-08-01', '2026-09-01']::date[]);
  insert into users (username, email, password_hash)
  select name, name || '@example.com', 'x' from unnest(array['alice', 'bob', 'carol']) as name;
  insert into conversations (user_id) select id from users, generate_series(1, 5);
  insert into messages (conversation_id, role, content, created_at)
  select id, 'user', 'message ' || n, timestamptz '2026-08-01 00:00:00+00' + n * interval '1 day'
  from conversations, generate_series(0, 60) as n;
  insert into files (user_id, conversation_id, message_id, file_name)
  select c.user_id, c.id, m.id, 'notes.pdf' from conversations c join messages m on m.conversation_id = c.id and m.content = 'message 7'`;

/** All that is to be as before after each drill. */
const ALL = `
  select (select md5(string_agg((u.id, u.username, u.email)::text, ',' order by id)) from users u) as users,
    (select md5(string_agg(c::text, ',' order by id)) from conversations c) as conversations,
    (select md5(string_agg((m.id, m.content, m.created_at)::text, ',' order by m.id)) from all_messages m) as messages,
    (select md5(string_agg((k.id, k.created_at)::text, ',' order by k.id)) from message_keys k) as keys,
    (select md5(string_agg((f.id, f.conversation_id, f.message_id)::text, ',' order by f.id)) from files f) as files,
    (select count(*)::int from pg_policy) as policies,
    (select count(*)::int from pg_constraint where contype = 'f') as foreign_keys`;

function withoutFigures(text: string): string {
  return text.replaceAll(/in (\d+ min )?[\d.]+ m?s\b/g, 'in T').replaceAll(/_before_\d+_\d+/g, '_before_T');
}

describeOnServer('the small disasters of docs/runbook.md', () => {
  const name = newDatabaseName(inject('runId'));
  const serverUrl = inject('databaseUrl') ?? '';
  const url = databaseAddress(serverUrl, name);
  let file = '';

  const query = async (address: string, sql: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: address });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };

  /** Runs a command of the page in a shell; `app` is this database and FILE the backup. */
  const run = async (command: string): Promise<string> => {
    const script = `aisec() { ${JSON.stringify(process.execPath)} ${JSON.stringify(path.join(ROOT, 'bin/aisec.js'))} "$@"; }
      psql() { command psql -X "$DATABASE_URL" "$@"; }
      ${command.replaceAll(/\bFILE\b/g, file).replaceAll(/--confirm app\b/g, `--confirm ${name}`)}`;
    const environment = { PATH: process.env['PATH'] ?? '', HOME: path.dirname(file), DATABASE_URL: url };
    const shell = spawn('bash', ['-c', script], {
      env: { ...environment, PGOPTIONS: '-c client_min_messages=warning' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [shell.stdout, shell.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const code = await new Promise((resolve) => shell.on('close', resolve));
    expect(code, `${command}\n${said}`).toBe(0);
    return said.replaceAll(file, 'FILE').replaceAll(name, 'app');
  };

  beforeAll(async () => {
    const template = await migratedTemplate(serverUrl, inject('runId'));
    await query(serverUrl, `create database ${name} template ${pg.escapeIdentifier(template)}`);
    for (const sql of FILL.split(';\n')) await query(url, sql);
    file = path.join(await createEmbeddedDirectory(), 'app_20261125_060000.dump');
    await takeBackup(url, file);
  });
  afterAll(async () => {
    const server = new pg.Client({ connectionString: serverUrl });
    await server.connect();
    const { rows } = await server.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [name],
    );
    for (const { datname } of rows) await dropDatabase(server, datname);
    await server.end();
  });

  test('the page has a drill for each of the seven', () => {
    expect(DRILLS.map(({ title }) => title)).toHaveLength(7);
  });

  test.each(DRILLS)(
    '$title: its commands, one after the other, bring everything back',
    { timeout: 600_000 },
    async (drill) => {
      const before = await query(url, ALL);
      let said = '';
      for (const command of drill.commands) said += await run(command);
      const lines = withoutFigures(said).split('\n');
      for (const line of drill.output) expect(lines, said).toContain(withoutFigures(line));
      expect(await query(url, ALL)).toEqual(before);
    },
  );
});
