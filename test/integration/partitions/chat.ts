import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { expect } from 'vitest';

import type { ServerDatabase } from '../../support/database.js';
import { rowsOf } from './messages.js';

export async function connectApplication(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'the application' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/**
 * Three writers of messages of these months, each answering the last, and a reader that finds at every moment all that
 * has been written. `stop` ends them and returns the ids written.
 */
export async function startChat(
  database: ServerDatabase,
  months: readonly string[],
): Promise<{ readonly atFirst: number; stop(): Promise<readonly string[]> }> {
  const [state] = await rowsOf(database, 'select count(*)::int as rows from all_messages');
  const atFirst = Number(state?.['rows']);
  const written: string[] = [];
  let isOver = false;
  const writing = Array.from({ length: 3 }, async (_, writer) => {
    const client = await connectApplication(database.url);
    for (let n = writer; !isOver; n += 1) {
      const id = randomUUID();
      await client.query(
        `insert into messages (id, conversation_id, role, created_at, parent_id)
         select $1, id, 'user', $2::timestamptz + $3 * interval '1 second', $4 from conversations limit 1`,
        [id, `${months[n % months.length]}-02 00:00+00`, n, written.at(-1) ?? null],
      );
      written.push(id);
      await sleep(3);
    }
    await client.end();
  });
  let counted = 0;
  const counting = (async () => {
    const counter = await connectApplication(database.url);
    while (!isOver) {
      const known = atFirst + written.length;
      const { rows } = await counter.query<{ rows: number }>('select count(*)::int as rows from all_messages');
      expect(rows[0]?.rows).toBeGreaterThanOrEqual(known);
      counted += 1;
    }
    await counter.end();
  })();
  return {
    atFirst,
    async stop() {
      isOver = true;
      await Promise.all([...writing, counting]);
      expect(counted).toBeGreaterThan(3);
      return written;
    },
  };
}

/** Every message is there once, with its key, and so is each that was written. */
export async function expectWhole(database: ServerDatabase, total: number, written: readonly string[]): Promise<void> {
  const [state] = await rowsOf(
    database,
    `select count(*)::int as rows, count(distinct id)::int as ids,
       count(*) filter (where id = any ('{${written.join(',')}}'))::int as written,
       count(*) filter (where exists (select from message_keys k where k.id = a.id and k.created_at = a.created_at))::int as good_keys,
       (select count(*)::int from message_keys) as keys
     from all_messages a`,
  );
  expect(state).toEqual({ rows: total, ids: total, written: written.length, good_keys: total, keys: total });
}
