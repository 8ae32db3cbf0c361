import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { expect } from 'vitest';

import type { ServerDatabase } from '../../support/database.js';
import { connectApplication } from './chat.js';
import { rowsOf } from './messages.js';
import { seeded, type Random } from '../../support/chance.js';

/** What the application knows that it has committed. */
interface Written {
  readonly created_at: string;
  readonly content: string;
  readonly parent_id: string | null;
}

export interface WriterSettings {
  readonly isolation: 'read committed' | 'repeatable read' | 'serializable';
  readonly role: 'origin' | 'replica';
  /** Whether it commits in two phases; needs max_prepared_transactions. */
  readonly isTwoPhase?: boolean;
}

/** Every way to write that the tests draw from. */
export const WRITERS: readonly WriterSettings[] = [
  { isolation: 'read committed', role: 'origin' },
  { isolation: 'read committed', role: 'origin', isTwoPhase: true },
  { isolation: 'repeatable read', role: 'origin' },
  { isolation: 'serializable', role: 'origin' },
  { isolation: 'read committed', role: 'replica' },
  { isolation: 'repeatable read', role: 'replica' },
];

const PASSING = ['40001', '40P01', '55P03'];

class Writer {
  readonly known = new Map<string, Written>();
  operations = 0;
  readonly errors: string[] = [];
  readonly #random: Random;
  readonly #months: readonly string[];
  readonly #settings: WriterSettings;

  constructor(seed: number, months: readonly string[], settings: WriterSettings) {
    this.#random = seeded(seed);
    this.#months = months;
    this.#settings = settings;
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }

  #time(): string {
    const day = String(1 + Math.floor(this.#random() * 27)).padStart(2, '0');
    return `${this.#pick(this.#months) ?? ''}-${day}T00:00:${String(Math.floor(this.#random() * 60)).padStart(2, '0')}Z`;
  }

  async #insert(client: pg.Client, mine: Map<string, Written>, byCopy: boolean): Promise<void> {
    const id = randomUUID();
    const parent = this.#settings.role === 'origin' && this.#random() < 0.3 ? this.#pick([...mine.keys()]) : undefined;
    const row = { created_at: this.#time(), content: `text ${this.#random()}`, parent_id: parent ?? null };
    if (byCopy) {
      const target = client.query(
        copyFrom('copy messages (id, conversation_id, role, created_at, content, parent_id) from stdin'),
      );
      const { rows } = this.#conversation;
      await pipeline(
        Readable.from([[id, rows, 'user', row.created_at, row.content, row.parent_id ?? '\\N'].join('\t') + '\n']),
        target,
      );
    } else
      await client.query(
        `insert into messages (id, conversation_id, role, created_at, content, parent_id) values ($1, $2, 'user', $3, $4, $5)`,
        [id, this.#conversation.rows, row.created_at, row.content, row.parent_id],
      );
    mine.set(id, row);
  }

  #conversation: { rows: string } = { rows: '' };

  async #change(client: pg.Client, mine: Map<string, Written>): Promise<void> {
    const id = this.#pick([...mine.keys()]);
    const row = id === undefined ? undefined : mine.get(id);
    const draw = this.#random();
    if (id === undefined || row === undefined || draw < 0.35) return this.#insert(client, mine, draw < 0.1);
    if (draw < 0.6) {
      const content = `changed ${this.#random()}`;
      const { rowCount } = await client.query('update messages set content = $2 where id = $1', [id, content]);
      // A message that is archived is not in messages any more; the end compares it as it was.
      if (rowCount === 1) mine.set(id, { ...row, content });
    } else if (draw < 0.8) {
      const created_at = this.#time();
      const { rowCount } = await client.query('update messages set created_at = $2 where id = $1', [id, created_at]);
      if (rowCount === 1) mine.set(id, { ...row, created_at });
    } else {
      const { rowCount } = await client.query('delete from messages where id = $1', [id]);
      if (rowCount !== 1) return;
      mine.delete(id);
      for (const [other, one] of mine) if (one.parent_id === id) mine.set(other, { ...one, parent_id: null });
    }
  }

  async #end(client: pg.Client, how: 'commit' | 'rollback'): Promise<void> {
    if (this.#settings.isTwoPhase !== true) {
      await client.query(how);
      return;
    }
    const name = `writer ${randomUUID()}`;
    await client.query(`prepare transaction '${name}'`);
    await sleep(this.#random() * 50);
    await client.query(`${how} prepared '${name}'`);
  }

  async run(url: string, isOver: () => boolean): Promise<void> {
    const client = await connectApplication(url);
    const { isolation, role } = this.#settings;
    await client.query(`set session_replication_role to ${role}`);
    const { rows } = await client.query<{ id: string }>('select id::text from conversations limit 1');
    this.#conversation = { rows: rows[0]?.id ?? '' };
    while (!isOver()) {
      const mine = new Map(this.known);
      try {
        await client.query(`begin isolation level ${isolation}`);
        if (this.#random() < 0.3) {
          await client.query('select from users limit 1');
          await sleep(this.#random() * 60);
        }
        const count = 1 + Math.floor(this.#random() * 3);
        for (let n = 0; n < count; n += 1) await this.#change(client, mine);
        const rollsBack = this.#random() < 0.1;
        await this.#end(client, rollsBack ? 'rollback' : 'commit');
        if (!rollsBack) {
          this.known.clear();
          for (const [id, row] of mine) this.known.set(id, row);
        }
        this.operations += count;
      } catch (error) {
        const { code = '', message } = error as { code?: string; message: string };
        if (!PASSING.includes(code)) this.errors.push(`${isolation} ${role}: ${code} ${message}`);
        await client.query('rollback');
      }
      await sleep(2);
    }
    await client.end();
  }
}

export interface RunningWriters {
  /** Changes so far. */
  readonly operations: () => number;
  /** Ends the writers. Then every message that they know of is there as they wrote it, once, with its key, and no other. */
  stop(): Promise<number>;
  /** Ends the writers, for a test that has failed. */
  end(): Promise<void>;
}

/** Writers of messages in these months, one for each setting; each knows what it has committed. */
export function startWriters(
  database: ServerDatabase,
  months: readonly string[],
  seed: number,
  settings: readonly WriterSettings[] = WRITERS,
): RunningWriters {
  let isOver = false;
  const writers = settings.map((one, number) => new Writer(seed + number, months, one));
  const work = Promise.all(writers.map((writer) => writer.run(database.url, () => isOver)));
  work.catch(() => undefined);
  const end = async (): Promise<void> => {
    isOver = true;
    await work;
  };
  const operations = (): number => writers.reduce((sum, writer) => sum + writer.operations, 0);
  return {
    operations,
    end,
    async stop() {
      await end();
      expect(writers.flatMap(({ errors }) => errors)).toEqual([]);
      const expected = new Map(writers.flatMap(({ known }) => [...known]));
      await expectMessages(database, expected);
      return operations();
    },
  };
}

async function expectMessages(database: ServerDatabase, expected: ReadonlyMap<string, Written>): Promise<void> {
  const found = await rowsOf(
    database,
    `select id::text, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created_at, content, parent_id::text
     from all_messages
     where content like 'text 0.%' or content like 'changed%'
     order by id`,
  );
  const wanted = [...expected].map(([id, row]) => ({ id, ...row })).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  expect(found).toEqual(wanted);
  await expectKeys(database);
}

/** Every message is there once, with its key, and every key has its message. */
export async function expectKeys(database: ServerDatabase): Promise<void> {
  const [state] = await rowsOf(
    database,
    `select
       (select count(*)::int from all_messages) as rows,
       (select count(distinct id)::int from all_messages) as ids,
       (select count(*)::int from message_keys) as keys,
       (select count(*)::int
        from all_messages a
        join message_keys k on k.id = a.id and k.created_at = a.created_at and k.parent_id is not distinct from a.parent_id
       ) as good`,
  );
  const rows = state?.['rows'];
  expect(state).toEqual({ rows, ids: rows, keys: rows, good: rows });
}
