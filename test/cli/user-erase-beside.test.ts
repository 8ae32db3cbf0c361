import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

import { Redis } from 'ioredis';
import pg from 'pg';
import { beforeEach, expect, inject, test } from 'vitest';

import { createCache } from '../../src/index.js';
import { chance, rounds } from '../support/chance.js';
import {
  createEmbeddedDirectory,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../support/database.js';
import { readZip } from '../support/read-zip.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

const SENTINEL = 'himitsu7731';
const MONTHS = ['2026-03-01', '2026-04-01', '2026-05-01', '2026-06-01'];

/** A person with rows in every table that can have them: 40 messages, those of March archived. */
const person = (id: string, name: string): string => `
  insert into users (id, username, email, password_hash) values ('${id}', '${name}', '${name}@example.com', 'x');
  insert into user_preferences (user_id) values ('${id}');
  insert into assistants (id, user_id, name) values ('${id}', '${id}', 'assistant');
  insert into knowledge_base (secretary_id, content) values ('${id}', 'known');
  insert into api_usage (secretary_id, api_name) values ('${id}', 'speech');
  insert into conversations (id, user_id, assistant_id) values ('${id}', '${id}', '${id}');
  insert into messages (conversation_id, role, content, created_at)
  select '${id}', 'user', 'text', timestamptz '2026-03-02 00:00:00+00' + n * interval '3 days' from generate_series(1, 40) n;
  insert into files (user_id, conversation_id, file_name) values ('${id}', '${id}', 'diary.pdf')`;

/** All columns of the tables that can hold text: each is set where its constraints let it. */
const TEXT_COLUMNS = `
  select format('%I', table_name) as "table", format('%I', column_name) as "column", data_type
  from information_schema.columns
  where table_schema = 'public' and table_name = any($1::text[]) and is_generated = 'NEVER'
    and data_type in ('text', 'character varying', 'json', 'jsonb', 'ARRAY')`;

describeOnServer('Erasing a person beside all else that runs', () => {
  let database: ServerDatabase;
  let [directory, hanako, taro] = ['', '', ''];
  const query = async (sql: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> =>
    (await database.admin.query(sql, values)).rows as readonly Record<string, unknown>[];
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
    runInProcess(args, {
      env: { DATABASE_URL: database.url, PATH: process.env['PATH'] ?? '', AISEC_BACKUP_DIR: directory, ...env },
      cwd: directory,
    });
  const fill = async (id: string, name: string): Promise<void> => {
    for (const sql of person(id, name).split(';\n')) await query(sql);
  };

  beforeEach(async () => {
    directory = path.join(await createEmbeddedDirectory(), 'files');
    mkdirSync(directory);
    [hanako, taro] = [randomUUID(), randomUUID()];
    database = await createServerDatabase({ migrated: true });
    await query(`select aisec_make_message_partitions($1::date[])`, [MONTHS]);
    await fill(hanako, 'hanako');
  });

  test('afterwards no file that was written has a text of the person, nor has Redis', async () => {
    const plan = JSON.parse((await run(['user', 'erase', 'hanako', '--dry-run', '--json'])).stdout) as {
      readonly plan: { readonly tables: readonly { readonly table: string }[] };
    };
    const tables = plan.plan.tables.map(({ table }) => table.replace('public.', ''));
    const columns = await query(TEXT_COLUMNS, [tables]);
    let set = 0;
    for (const { table, column, data_type: type } of columns) {
      const value = { ARRAY: `array['${SENTINEL}']`, json: `'{"a": "${SENTINEL}"}'`, jsonb: `'{"a": "${SENTINEL}"}'` }[
        String(type)
      ];
      // Some columns have a list of values.
      set += await query(`update ${String(table)} set ${String(column)} = ${value ?? `'${SENTINEL}'`}`).then(
        () => 1,
        () => 0,
      );
    }
    expect(set).toBeGreaterThan(25);
    await query("select aisec_archive_month('2026-03-01')");
    await fill(taro, 'taro');

    const redisUrl = inject('redisUrl');
    const env: Readonly<Record<string, string>> = redisUrl === null ? {} : { REDIS_URL: redisUrl };
    if (redisUrl !== null) {
      const cache = createCache({ url: database.url, redisUrl });
      await cache.ready();
      expect(JSON.stringify([await cache.preferences(hanako), await cache.assistants(hanako)])).toContain(SENTINEL);
      await cache.close();
    }
    const exported = path.join(directory, 'march.ndjson.gz');
    const zip = path.join(directory, 'hanako.zip');
    expect(await run(['archive', 'export', '2026-03', '--out', exported])).toMatchObject({ exitCode: 0 });
    expect(await run(['user', 'export', SENTINEL, '--all', '--out', zip])).toMatchObject({ exitCode: 0 });
    const backup = JSON.parse((await run(['backup', '--json'])).stdout) as { readonly file: string };
    expect(filesWithSentinel(directory)).toEqual(expect.arrayContaining([exported, zip, backup.file]));

    const erased = await run(['user', 'erase', hanako, '--confirm', SENTINEL, '--json'], env);
    expect(erased).toMatchObject({ exitCode: 0 });
    // What the certificate says is left is deleted or rewritten, and the export that was made for the person deleted.
    expect(JSON.parse(erased.stdout)).toMatchObject({ certificate: { backupDirectory: directory } });
    const { certificate } = JSON.parse(erased.stdout) as {
      readonly certificate: { readonly holders: readonly { readonly place: string; readonly kind: string }[] };
    };
    expect(certificate.holders.map(({ place }) => place).toSorted()).toEqual([backup.file, exported].toSorted());
    for (const file of [backup.file, zip]) rmSync(file);
    expect(await run(['archive', 'export', '2026-03', '--out', exported, '--replace'])).toMatchObject({ exitCode: 0 });
    await query('vacuum');
    expect(await run(['backup'])).toMatchObject({ exitCode: 0 });

    const written = readdirSync(directory).filter((name) => /\.(dump|gz|json|html|jsonl|sql)$/.test(name));
    expect(written.length).toBeGreaterThan(6);
    expect(filesWithSentinel(directory)).toEqual([]);
    if (redisUrl !== null) {
      const redis = new Redis(redisUrl);
      const keys = await redis.keys(`*${hanako}*`);
      redis.disconnect();
      expect(keys).toEqual([]);
    }
    expect(await query('select count(*)::int as n from all_messages')).toEqual([{ n: 40 }]);
  });

  test('the person and others write, months are archived, a backup and exports are made meanwhile: all of it succeeds', async () => {
    const random = chance();
    for (let round = 0; round < rounds(2, 20); round += 1) {
      if (round > 0) await fill(hanako, 'hanako');
      taro = randomUUID();
      await fill(taro, `taro${round}`);
      const writers = [await startWriter(hanako), await startWriter(taro)] as const;
      const commands: readonly (readonly string[])[] = [
        ['user', 'erase', hanako, '--confirm', 'hanako', '--out', directory],
        ['archive', '--max-wait', '60s', '--wait', '5m'],
        ['backup', '--wait', '5m'],
        ['user', 'export', taro, '--out', path.join(directory, `taro${round}.zip`)],
        ['archive', 'export', '2026-03', '--out', path.join(directory, `march${round}.ndjson`), '--wait', '5m'],
      ];
      if (round === 0) await query("select aisec_archive_month('2026-03-01')");
      const order = commands.map((command) => ({ command, place: random() })).toSorted((a, b) => a.place - b.place);
      const results = await Promise.all(order.map(({ command }) => run(command)));
      for (const [index, { exitCode, stderr }] of results.entries())
        expect(exitCode, `${order[index]?.command.join(' ')}: ${stderr}`).toBe(0);

      // Their session is told that they are not there any more; others write on.
      expect(await writers[0].refused).toMatch(/^(23503|42501)$/);
      const written = await writers[1].stop();
      expect(written).toBeGreaterThan(0);
      expect(await query('select count(*)::int as n from users where id = $1', [hanako])).toEqual([{ n: 0 }]);
      expect(await query('select count(*)::int as n from all_messages where conversation_id = $1', [hanako])).toEqual([
        { n: 0 },
      ]);
      expect(await query('select count(*)::int as n from all_messages where conversation_id = $1', [taro])).toEqual([
        { n: 40 + written },
      ]);
      expect(
        await query(
          'select count(*)::int as n from message_keys k left join all_messages m using (id) where m.id is null',
        ),
      ).toEqual([{ n: 0 }]);
      expect(await query('select subject from erasures where finished_at is null')).toEqual([]);
      hanako = randomUUID();
    }
  });

  test('it ends although the person writes without a pause in four sessions, which are refused then', async () => {
    await query(
      `insert into messages (conversation_id, role, content, created_at)
       select $1, 'user', 'text', timestamptz '2026-04-02 00:00:00+00' + n * interval '1 minute' from generate_series(1, 4000) n`,
      [hanako],
    );
    const writers = await Promise.all([1, 2, 3, 4].map(() => startWriter(hanako)));
    const erased = await run(['user', 'erase', hanako, '--confirm', 'hanako', '--out', directory]);
    expect(erased.exitCode, erased.stderr).toBe(0);
    for (const { refused } of writers) expect(await refused).toMatch(/^(23503|42501)$/);
    expect(await query('select count(*)::int as n from all_messages where conversation_id = $1', [hanako])).toEqual([{ n: 0 }]); // prettier-ignore
    expect(await query('select count(*)::int as n from message_keys')).toEqual([{ n: 0 }]);
  });

  /** Writes messages in all months, one after the other, until it is refused or stopped. */
  async function startWriter(id: string): Promise<{
    readonly refused: Promise<string>;
    readonly stop: () => Promise<number>;
  }> {
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();
    let [written, isOver] = [0, false];
    const work = (async () => {
      try {
        for (; !isOver; written += 1)
          await client.query(
            `insert into messages (conversation_id, role, content, created_at)
             values ($1, 'user', 'meanwhile', timestamptz '2026-05-02 00:00:00+00' + ${written % 60} * interval '1 day')`,
            [id],
          );
        return '';
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      } finally {
        await client.end();
      }
    })();
    return {
      refused: work,
      stop: async () => {
        isOver = true;
        expect(await work).toBe('');
        return written;
      },
    };
  }
});

/** The files below a directory that have the word, whatever they are packed in. */
function filesWithSentinel(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => path.join(directory, name))
    .filter((file) => contentOf(file).includes(SENTINEL));
}

function contentOf(file: string): string {
  if (file.endsWith('.zip')) return [...readZip(file).values()].join('\n');
  if (file.endsWith('.dump')) return execFileSync('pg_restore', ['-f', '-', file], { encoding: 'utf8' });
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}
