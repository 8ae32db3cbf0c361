import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import type { Random } from '../../support/chance.js';

const PAUSE_MS = 8;
/** The message to answer was deleted by another writer at this moment: refused, as it should be. */
const PARENT_IS_GONE = '23503';

interface Written {
  readonly conversation: string;
  readonly createdAt: string;
  content: string;
}

/** What applications have been told is in the database: every message they wrote and did not delete, by id. */
export class Ledger {
  readonly messages = new Map<string, Written>();
  writtenRows = 0;
  deletedRows = 0;
  longestWaitMs = 0;
  /** SQLSTATE and text of what an application was refused. */
  readonly errors: string[] = [];
  /** Two deletions at once may wait for each other's replies: a deadlock of the applications' own making. */
  deletion: Promise<unknown> = Promise.resolve();
  readonly newestMonth: Date;
  readonly months: number;
  readonly random: Random;

  /** Messages are dated in so many months, the current one the newest. */
  constructor(now: Date, months: number, random: Random) {
    this.newestMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
    this.months = months;
    this.random = random;
  }

  /** A random time; in whole milliseconds, which a JavaScript date can hold. */
  randomTime(): string {
    const time = new Date(this.newestMonth);
    time.setUTCMonth(time.getUTCMonth() - Math.floor(this.random() * this.months));
    return new Date(time.getTime() + this.random() * 27 * 24 * 60 * 60 * 1000).toISOString();
  }

  randomId(): string | undefined {
    const ids = [...this.messages.keys()];
    return ids[Math.floor(this.random() * ids.length)];
  }
}

export interface Writers {
  /** Resolves when the last statement is done. */
  stop(): Promise<void>;
}

/** One application session with conversations of its own, so that the ledger never has to guess. */
class Writer {
  readonly #client: pg.Client;
  readonly #ledger: Ledger;
  readonly #userId: string;
  #conversations: string[] = [];
  isOver = false;

  constructor(client: pg.Client, ledger: Ledger, userId: string) {
    this.#client = client;
    this.#ledger = ledger;
    this.#userId = userId;
  }

  async work(): Promise<void> {
    while (!this.isOver) {
      const chance = this.#ledger.random();
      if (this.#conversations.length < 4) await this.#startConversation();
      else if (chance < 0.8) await this.#write();
      else if (chance < 0.9) await this.#edit();
      else await this.#inTurn(chance < 0.98 ? () => this.#delete() : () => this.#deleteConversation());
      await sleep(PAUSE_MS);
    }
    await this.#client.end();
  }

  async #inTurn(deletion: () => Promise<void>): Promise<void> {
    const mine = this.#ledger.deletion.then(deletion);
    this.#ledger.deletion = mine;
    await mine;
  }

  /** The rows it concerned; undefined when it was refused. */
  async #query(sql: string, values: readonly unknown[]): Promise<number | undefined> {
    const startedMs = performance.now();
    try {
      return (await this.#client.query(sql, [...values])).rowCount ?? 0;
    } catch (error) {
      const { code = '', message } = error as pg.DatabaseError;
      if (code !== PARENT_IS_GONE) this.#ledger.errors.push(`${code} ${message}: ${sql}`);
      return undefined;
    } finally {
      this.#ledger.longestWaitMs = Math.max(this.#ledger.longestWaitMs, performance.now() - startedMs);
    }
  }

  async #startConversation(): Promise<void> {
    const id = randomUUID();
    await this.#query('insert into conversations (id, user_id) values ($1, $2)', [id, this.#userId]);
    this.#conversations.push(id);
  }

  async #write(): Promise<void> {
    const [id, conversation, createdAt] = [randomUUID(), this.#pickConversation(), this.#ledger.randomTime()];
    const content = `said at ${createdAt}`;
    const parent = this.#ledger.random() < 0.3 ? (this.#ledger.randomId() ?? null) : null;
    const values = [id, conversation, content, parent, createdAt];
    const rows = await this.#query(
      `insert into messages (id, conversation_id, role, content, parent_id, created_at) values ($1, $2, 'user', $3, $4, $5)`,
      values,
    );
    if (rows !== 1) return;
    this.#ledger.messages.set(id, { conversation, createdAt, content });
    this.#ledger.writtenRows += 1;
    if (this.#ledger.random() < 0.2)
      await this.#query(`insert into files (user_id, message_id, file_name) values ($1, $2, 'a file')`, [
        this.#userId,
        id,
      ]);
  }

  /** Only what is live can be edited; a month that is moved meanwhile leaves nothing to edit. */
  async #edit(): Promise<void> {
    const [id, written] = this.#pickOwn();
    if (id === undefined || written === undefined) return;
    const content = `edited ${randomUUID()}`;
    const rows = await this.#query('update messages set content = $3 where id = $1 and created_at = $2', [
      id,
      written.createdAt,
      content,
    ]);
    if (rows === 1) written.content = content;
  }

  async #delete(): Promise<void> {
    const [id, written] = this.#pickOwn();
    if (id === undefined || written === undefined) return;
    for (const table of ['messages', 'messages_archive']) {
      const rows = await this.#query(`delete from ${table} where id = $1 and created_at = $2`, [id, written.createdAt]);
      if (rows !== 1) continue;
      this.#ledger.messages.delete(id);
      this.#ledger.deletedRows += 1;
      return;
    }
  }

  async #deleteConversation(): Promise<void> {
    const conversation = this.#pickConversation();
    if ((await this.#query('delete from conversations where id = $1', [conversation])) !== 1) return;
    this.#conversations = this.#conversations.filter((id) => id !== conversation);
    for (const [id, written] of this.#ledger.messages) {
      if (written.conversation !== conversation) continue;
      this.#ledger.messages.delete(id);
      this.#ledger.deletedRows += 1;
    }
  }

  #pickConversation(): string {
    return this.#conversations[Math.floor(this.#ledger.random() * this.#conversations.length)] ?? '';
  }

  #pickOwn(): readonly [string | undefined, Written | undefined] {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const id = this.#ledger.randomId();
      const written = id === undefined ? undefined : this.#ledger.messages.get(id);
      if (written !== undefined && this.#conversations.includes(written.conversation)) return [id, written];
    }
    return [undefined, undefined];
  }
}

/** Starts `count` applications that write, answer, attach files, edit and delete until they are stopped. */
export async function startWriters(url: string, ledger: Ledger, count: number): Promise<Writers> {
  const writers: Writer[] = [];
  const work: Promise<void>[] = [];
  for (let number = 0; number < count; number += 1) {
    const client = new pg.Client({ connectionString: url, application_name: `application ${number}` });
    // A failed test may drop the database under it.
    client.on('error', () => undefined);
    await client.connect();
    const userId = randomUUID();
    await client.query(`insert into users (id, username, email, password_hash) values ($1, $2, $3, 'hash')`, [
      userId,
      `user ${number} ${userId}`,
      `${userId}@example.com`,
    ]);
    const writer = new Writer(client, ledger, userId);
    writers.push(writer);
    work.push(writer.work());
  }
  return {
    async stop() {
      for (const writer of writers) writer.isOver = true;
      await Promise.all(work);
    },
  };
}
