import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { HEAD_BYTES, readPreamble } from '../../../src/adapters/pgtools/archive/contents.js';
import { FieldReader } from '../../../src/adapters/pgtools/archive/fields.js';
import { packDirectoryArchive } from '../../../src/adapters/pgtools/archive/pack.js';
import { withCredentials } from '../../../src/adapters/pgtools/credentials.js';
import { findTool, type ToolPlaces } from '../../../src/adapters/pgtools/find-tools.js';
import { dumpDatabase } from '../../../src/adapters/pgtools/pg-dump.js';
import type { ServerTarget } from '../../../src/config/database-target.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';

const places: ToolPlaces = { pgBinDir: undefined, environment: { PATH: process.env['PATH'] } };
const surroundings = { environment: places.environment, signal: new AbortController().signal };
const JOBS = 3;

/** More than a megabyte for one table, several pieces for one large object. */
const ROWS = `
  create schema "odd ""schema""";
  create extension vector;
  create table "two
lines" as select n, md5(n::text) as text from generate_series(1, 40000) n;
  create table "odd ""schema"""."a ""quoted"" table" as select n as "日本語", repeat('x', n) as "b c" from generate_series(1, 50) n;
  create table 日本語 (言葉 text, "null" text);
  insert into 日本語 values ('猫', null), (E'a\\tb\\n\\\\.', '');
  create table empty (id int primary key);
  create table days (at date not null, note text) partition by range (at);
  create table days_2025 partition of days for values from ('2025-01-01') to ('2026-01-01');
  create table days_2026 partition of days for values from ('2026-01-01') to ('2027-01-01');
  insert into days select '2025-06-01'::date + n, 'day ' || n from generate_series(1, 300) n;
  create table points (id int generated always as identity, at vector(3));
  insert into points (at) select array[n, n / 2.0, -n]::vector from generate_series(1, 100) n;
  create materialized view totals as select count(*) from days;
  create sequence tickets; select setval('tickets', 4242);
  select lo_create(17), lo_from_bytea(4711, 'a large object'), lo_from_bytea(3000000000, 'beyond 2^31');
  select lo_from_bytea(4712, (select string_agg(sha256(n::text::bytea), '') from generate_series(1, 50000) n));
  comment on large object 4711 is 'said';`;

const zstd = Buffer.from('28b52ffd2000010000', 'hex');
const OF_NOTHING: Readonly<Record<string, Buffer>> = {
  'zstd:1': zstd,
  'zstd:3': zstd,
  lz4: Buffer.from('04224d184040c000000000', 'hex'),
};
const int = (value: number): Buffer => Buffer.of(0, value, 0, 0, 0);

describeOnServer('a directory that several jobs dumped, packed', () => {
  let database: ServerDatabase;
  let client: pg.Client;
  let root = '';
  let snapshot = '';
  let target: ServerTarget;
  beforeAll(async () => {
    database = await createServerDatabase();
    await database.admin.query(ROWS);
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('begin isolation level repeatable read');
    snapshot = (await client.query('select pg_export_snapshot() as id')).rows[0].id;
    root = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
    const { hostname: host, port, username: user } = new URL(database.url);
    target = { kind: 'server', source: 'the test', connection: { host, port, user, database: database.name } };
  });
  afterAll(async () => {
    await client.end();
    rmSync(root, { recursive: true, force: true });
  });

  const at = (name: string): string => path.join(root, name);
  async function dump(file: string, compression: string, jobs?: number): Promise<void> {
    if (jobs === undefined) writeFileSync(file, '');
    else mkdirSync(file);
    const { tool } = await findTool('pg_dump', { major: 16, of: 'the server' }, places);
    await withCredentials(target, { applicationName: 'aisec test dump' }, (credentials) =>
      dumpDatabase({
        ...surroundings,
        tool,
        credentials,
        file,
        jobs,
        compression,
        snapshot,
        lockWaitTimeoutMs: 0,
        waitForServerMs: 0,
      }),
    );
  }
  async function pack(directory: string, file: string): Promise<void> {
    writeFileSync(file, '', { mode: 0o640 });
    await packDirectoryArchive(directory, file, { ...surroundings, onBytes: () => undefined });
  }
  /** What pg_restore prints, but for what each archive or run has its own of. */
  function printed(file: string, args: readonly string[], isPiped = false): string {
    const input = isPiped ? openSync(file, 'r') : undefined;
    // A shell between them makes a pipe of what would be a file that can be sought in.
    const command = isPiped
      ? ['-c', `cat | pg_restore ${args.join(' ')}`]
      : ['-c', `pg_restore ${args.join(' ')} ${file}`];
    const text = execFileSync('/bin/sh', command, {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: [input ?? 'ignore', 'pipe', 'pipe'],
    });
    if (input !== undefined) closeSync(input);
    return text
      .replaceAll(/^\\(?:un)?restrict .*$/gm, '')
      .replace(/^; Archive created at .*$/m, '')
      .replace(/^; {5}Format: \w+$/m, '');
  }

  test.each(['zstd:1', 'zstd:3', 'lz4', 'none'])('is to pg_restore what one session wrote: %s', async (compression) => {
    const [plain, parts, packed] = ['plain', 'parts', 'packed'].map((name) => at(`${name}-${compression}`)) as [
      string,
      string,
      string,
    ];
    await dump(plain, compression);
    await dump(parts, compression, JOBS);
    await pack(parts, packed);
    expect(readdirSync(root)).not.toContain(path.basename(parts));
    expect(statSync(packed).mode & 0o777).toBe(0o640);
    for (const args of [['--list'], ['--list', '--verbose'], ['--file=-'], ['--file=-', '--table=points']])
      expect(printed(packed, args) === printed(plain, args), args.join(' ')).toBe(true);
    expect(printed(packed, ['--file=-'], true) === printed(plain, ['--file=-'])).toBe(true);
    expect(printed(packed, ['--list'])).toContain('TABLE DATA public empty');

    // An empty large object, which pg_restore 19 takes for an incomplete one without the frame of nothing.
    const { [compression]: frame = Buffer.alloc(0) } = OF_NOTHING;
    const object = Buffer.concat([int(17), ...(frame.length > 0 ? [int(frame.length), frame] : []), int(0)]);
    expect(readFileSync(packed).includes(object)).toBe(true);

    // Where each entry says that its data begin, they do: pg_restore reads them in parallel and in part by that.
    const bytes = readFileSync(packed);
    const said = printed(packed, ['--file=-', '--verbose']).matchAll(
      /^-- TOC entry (\d+) .*\n(?:-- (?!Data Pos).*\n)+?-- Data Pos: (\d+)$/gm,
    );
    const places = [...said].filter(([, , place]) => place !== '0');
    expect(places.length).toBeGreaterThanOrEqual(8);
    for (const [, id, place] of places) {
      const start = Number(place);
      expect([1, 3]).toContain(bytes[start]);
      expect(bytes.readUInt32LE(start + 2)).toBe(Number(id));
    }
  });

  test('is also read as pg_dump 16 writes it', async () => {
    const [parts, packed] = [at('parts-older'), at('packed-older')];
    await dump(parts, 'zstd:1', JOBS);
    const contents = path.join(parts, 'toc.dat');
    writeFileSync(contents, asOlder(readFileSync(contents)));
    const lists = readdirSync(parts).filter((name) => /^blobs_\d+\.toc$/.test(name));
    writeFileSync(
      path.join(parts, 'blobs.toc'),
      lists.map((name) => readFileSync(path.join(parts, name), 'utf8')).join(''),
    );
    for (const name of lists) rmSync(path.join(parts, name));
    const before = printed(parts, ['--file=-']);
    await pack(parts, packed);
    expect(printed(packed, ['--file=-']) === before).toBe(true);
    expect(before).toContain('lowrite');
  });

  test('is refused when it lacks data, and when it has data that nothing names', async () => {
    const [lacking, more, unread] = [at('lacking'), at('more'), at('unread')];
    await dump(lacking, 'zstd:1', JOBS);
    const [data = ''] = readdirSync(lacking).filter((name) => /^\d+\.dat/.test(name));
    rmSync(path.join(lacking, data));
    await expect(pack(lacking, at('packed-lacking'))).rejects.toMatchObject({ code: 'ENOENT' });
    await dump(more, 'zstd:1', JOBS);
    writeFileSync(path.join(more, '99999.dat.zst'), 'data');
    await expect(pack(more, at('packed-more'))).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
    await dump(unread, 'zstd:1', JOBS);
    const contents = path.join(unread, 'toc.dat');
    for (const bytes of [
      readFileSync(contents).subarray(0, -1),
      Buffer.concat([readFileSync(contents), Buffer.of(0)]),
    ]) {
      writeFileSync(contents, bytes);
      await expect(pack(unread, at('packed-unread'))).rejects.toThrow('cannot be made one file');
    }
  });

  test('stops when it is interrupted', async () => {
    const parts = at('parts-interrupted');
    await dump(parts, 'zstd:1', JOBS);
    const controller = new AbortController();
    const file = at('packed-interrupted');
    writeFileSync(file, '');
    const onBytes = (): void => controller.abort();
    const packing = packDirectoryArchive(parts, file, { signal: controller.signal, onBytes });
    await expect(packing).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(readdirSync(parts)).not.toHaveLength(0);
  });
});

/** A table of contents without what version 1.16 has more: the kind of each relation, and several groups of large objects. */
function asOlder(bytes: Buffer): Buffer {
  const { count, end } = readPreamble(bytes);
  const kept = [bytes.subarray(0, end)];
  const fields = new FieldReader(bytes, end);
  for (let number = 0; number < count; number += 1) {
    const start = fields.position;
    for (let field = 0; field < 2; field += 1) fields.int();
    for (let field = 0; field < 4; field += 1) fields.skipText();
    fields.int();
    for (let field = 0; field < 6; field += 1) fields.skipText();
    kept.push(bytes.subarray(start, fields.position));
    fields.int();
    const owner = fields.position;
    for (let field = 0; field < 2; field += 1) fields.skipText();
    while (fields.text() !== null);
    fields.skipText();
    kept.push(bytes.subarray(owner, fields.position));
  }
  const older = Buffer.concat(kept);
  older[6] = 15;
  expect(older.length).toBeGreaterThan(HEAD_BYTES);
  return older;
}
