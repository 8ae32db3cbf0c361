import { describe, expect, test } from 'vitest';

import { copyRows, type CopyRow } from '../../../src/adapters/postgres/copy.js';
import { openSession } from '../../../src/adapters/postgres/open.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import { withTransaction } from '../../../src/adapters/postgres/session.js';
import { resolveConfig } from '../../../src/config/config.js';
import { resolveDatabaseTarget } from '../../../src/config/database-target.js';
import { createEmbeddedDirectory, createServerDatabase, describeOnServer } from '../../support/database.js';

const TARGET = { schema: 'public', table: 'copied', columns: ['id', 'text'] };
const HARD = ['tab\there', 'line\nbreak', 'cr\rlf\r\n', 'back\\slash', '\\N', '\\.', '', 'あ🎌é', '"quoted", ok'];

async function withSession<Result>(
  environment: Readonly<Record<string, string>>,
  use: (session: Session, controller: AbortController) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const config = resolveConfig({}, environment, await createEmbeddedDirectory());
  const session = await openSession(resolveDatabaseTarget(config), {
    applicationName: 'aisec test',
    schema: 'public',
    extensionSchema: 'public',
    lockTimeoutMs: 2000,
    statementTimeoutMs: 0,
    idleTimeoutMs: 60_000,
    embedded: 'scratch',
    signal: controller.signal,
  });
  try {
    return await use(session, controller);
  } finally {
    await session.close();
  }
}

/** Rows of a kilobyte: more than one statement, and more than any buffer. */
function* wideRows(count: number): Generator<CopyRow> {
  for (let id = 0; id < count; id += 1) yield [id, 'x'.repeat(1000)];
}

function promises(environment: () => Promise<Readonly<Record<string, string>>>): void {
  const table = 'create table copied (id integer primary key, text text)';

  test('takes every character back as it was, null as null', async () => {
    await withSession(await environment(), async (session) => {
      await session.query(table);
      const rows = [...HARD, null].map((text, id) => [id, text] as const);
      expect(await copyRows(session, TARGET, rows, () => undefined)).toBe(rows.length);
      const { rows: read } = await session.query<{ text: string | null }>('select text from copied order by id');
      expect(read.map(({ text }) => text)).toEqual([...HARD, null]);
    });
  });

  test('takes more than one statement holds, telling how far it is', async () => {
    await withSession(await environment(), async (session) => {
      await session.query(table);
      let told = 0;
      const taken = await copyRows(session, TARGET, wideRows(40_000), (count) => (told += count));
      expect([taken, told]).toEqual([40_000, 40_000]);
      expect(await copyRows(session, TARGET, [], () => undefined)).toBe(0);
    });
  });

  test('a row that is refused in the middle rolls all back, and the session goes on', async () => {
    await withSession(await environment(), async (session) => {
      await session.query(table);
      function* rows(): Generator<CopyRow> {
        yield* wideRows(30_000);
        yield [7, 'twice'];
        for (let id = 30_000; id < 60_000; id += 1) yield [id, 'y'.repeat(1000)];
      }
      const run = withTransaction(session, () => copyRows(session, TARGET, rows(), () => undefined));
      await expect(run).rejects.toMatchObject({ code: 'DATABASE_FAILED', sqlState: '23505' });
      expect((await session.query('select from copied')).rowCount).toBe(0);
    });
  });

  test('a fault in what makes the rows ends the statement, and the session goes on', async () => {
    await withSession(await environment(), async (session) => {
      await session.query(table);
      function* rows(): Generator<CopyRow> {
        yield* wideRows(5000);
        throw new Error('no more rows');
      }
      const run = withTransaction(session, () => copyRows(session, TARGET, rows(), () => undefined));
      await expect(run).rejects.toThrow('no more rows');
      expect((await session.query('select from copied')).rowCount).toBe(0);
    });
  });
}

describe('rows copied into the embedded database', () => promises(async () => ({})));

describeOnServer('rows copied into a server', () => {
  promises(async () => ({ DATABASE_URL: (await createServerDatabase()).url }));

  test('stop at a signal, with the statement cancelled and nothing kept', async () => {
    const database = await createServerDatabase();
    await database.admin.query('create table copied (id integer primary key, text text)');
    await withSession({ DATABASE_URL: database.url }, async (session, controller) => {
      let sent = 0;
      const run = withTransaction(session, () =>
        copyRows(session, TARGET, wideRows(10_000_000), (count) => {
          sent += count;
          if (sent > 20_000) controller.abort('SIGINT');
        }),
      );
      await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
    });
    expect((await database.admin.query('select from copied')).rowCount).toBe(0);
  });

  test('tell of a connection that breaks while they are sent', async () => {
    const database = await createServerDatabase();
    await database.admin.query('create table copied (id integer primary key, text text)');
    await withSession({ DATABASE_URL: database.url }, async (session) => {
      let isKilled = false;
      const run = copyRows(session, TARGET, wideRows(10_000_000), () => {
        if (!isKilled) void database.admin.query('select pg_terminate_backend($1)', [session.info.pid]);
        isKilled = true;
      });
      await expect(run).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    });
  });
});
