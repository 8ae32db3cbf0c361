import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { drawIsolation, isolateSession } from './isolation.js';
import { monthStart } from './months.js';
import { seededRandom } from './random.js';
import { connect } from './server.js';

/** @typedef {{ conversation: string, createdAt: string, content: string, parent: string | null, isBulk?: boolean }} Written */

/** A reference to a message that another user has just deleted: refused, as it should be. */
const MESSAGE_IS_GONE = '23503';
/** A transaction that is not READ COMMITTED, or a row that moved to another partition: to be tried again. */
const SERIALIZATION_FAILURE = '40001';
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * What users have been told is in the database. Every user writes, edits and deletes in conversations of his own, one
 * statement after the other, so the ledger never has to guess.
 */
export class Ledger {
  /** @type {Map<string, Written>} */
  messages = new Map();
  /** File to message. @type {Map<string, string>} */
  files = new Map();
  /** @type {string[]} */
  ids = [];
  /** @type {number[]} */
  waitsMs = [];
  longest = { ms: 0, statement: '' };
  /** @type {Map<string, number>} */
  errors = new Map();
  counts = {
    written: 0,
    replies: 0,
    edited: 0,
    moved: 0,
    deleted: 0,
    conversationsDeleted: 0,
    refusedReferences: 0,
    serializationFailures: 0,
    originBatches: 0,
    replicaBatches: 0,
  };

  /** @param {string} id @param {Written} written */
  add(id, written) {
    this.messages.set(id, written);
    if (written.isBulk !== true) this.ids.push(id);
    this.counts.written += 1;
  }

  /** @param {(written: Written) => boolean} isMeant */
  delete(isMeant) {
    for (const [id, written] of this.messages) {
      if (!isMeant(written)) continue;
      this.messages.delete(id);
      this.counts.deleted += 1;
    }
    this.forget();
  }

  /** @param {readonly string[]} ids */
  deleteIds(ids) {
    for (const id of ids) if (this.messages.delete(id)) this.counts.deleted += 1;
    this.forget();
  }

  /** Counts the refusal of a statement. @param {unknown} error @param {string} statement */
  refuse(error, statement) {
    const { code = 'unknown', message, detail, where } = /** @type {import('pg').DatabaseError} */ (error);
    if (code === MESSAGE_IS_GONE) this.counts.refusedReferences += 1;
    else if (code === SERIALIZATION_FAILURE) this.counts.serializationFailures += 1;
    else {
      if (!this.errors.has(code))
        console.error(
          `${[code, message, detail, where].filter(Boolean).join('; ')}: ${statement.trim().slice(0, 200)}`,
        );
      this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    }
  }

  forget() {
    const referable = [...this.messages].filter(([, written]) => written.isBulk !== true);
    if (this.ids.length > 2 * referable.length) this.ids = referable.map(([id]) => id);
  }
}

/** @param {ReturnType<typeof seededRandom>} random @param {number} months */
export function messageTime(random, months) {
  const month = random.next() < 0.5 ? 0 : random.below(months);
  const from = monthStart(month).getTime();
  return new Date(month === 0 ? Date.now() - random.below(DAY_MS) : from + random.next() * 27 * DAY_MS).toISOString();
}

/**
 * Users who chat, each round with a new session. Each draws the isolation of its next transactions now and then. Most messages are of now; the others are dated in past months, since the clock
 * of the server cannot be moved and archiving needs old months.
 *
 * @param {string} database
 * @param {Ledger} ledger
 * @param {{ users: number, months: number, seed: number }} options
 */
export async function openChat(database, ledger, { users, months, seed }) {
  // Two deletions at once may wait for each other's replies, and so may a deletion and an update that moves a reply to
  // another partition: deadlocks of the application's own making.
  let deletion = Promise.resolve();

  const enter = async (/** @type {number} */ number) => {
    const random = seededRandom(seed * 1000 + number);
    let client = await connect(database, `user ${number}`);
    const userId = randomUUID();
    /** @type {string[]} */
    let conversations = [];

    /** @param {string} text @param {readonly unknown[]} [values] */
    const query = async (text, values = []) => {
      const startedMs = performance.now();
      try {
        return (await client.query(text, [...values])).rowCount ?? 0;
      } catch (error) {
        ledger.refuse(error, text);
        await client.query('rollback');
        return -1;
      } finally {
        const waitMs = performance.now() - startedMs;
        ledger.waitsMs.push(waitMs);
        if (waitMs > ledger.longest.ms) ledger.longest = { ms: waitMs, statement: text.trim().slice(0, 60) };
      }
    };
    const anyMessage = () => {
      const id = random.pick(ledger.ids);
      return id !== undefined && ledger.messages.has(id) ? id : null;
    };
    /** A message of a conversation of his own, which nobody else changes. */
    const ownMessage = () => {
      for (let tries = 0; tries < 20; tries += 1) {
        const id = anyMessage();
        const written = id === null ? undefined : ledger.messages.get(id);
        if (id !== null && written !== undefined && conversations.includes(written.conversation))
          return { id, written };
      }
      return;
    };
    /** @param {() => Promise<void>} work */
    const oneByOne = async (work) => {
      const mine = deletion.then(work);
      deletion = mine;
      await mine;
    };

    const actions = {
      async write() {
        const [id, conversation] = [randomUUID(), random.pick(conversations) ?? ''];
        const createdAt = messageTime(random, months);
        const content = `said by ${number} `.repeat(1 + random.below(20));
        const parent = random.next() < 0.4 ? anyMessage() : null;
        const insert = `insert into messages (id, conversation_id, role, content, parent_id, created_at)
          values ('${id}', '${conversation}', 'user', '${content}', ${parent === null ? 'null' : `'${parent}'`}, '${createdAt}')`;
        const update = `update conversations set status = 'open' where id = '${conversation}'`;
        const [first, second] = random.next() < 0.5 ? [insert, update] : [update, insert];
        if ((await query(`begin; ${first}`)) < 0 || (await query(`${second}; commit`)) < 0) return;
        ledger.add(id, { conversation, createdAt, content, parent });
        if (parent !== null) ledger.counts.replies += 1;
      },
      async attachFile() {
        const [id, message] = [randomUUID(), anyMessage()];
        if (message === null) return;
        const sql = `insert into files (id, user_id, message_id, file_name) values ($1, $2, $3, 'a file')`;
        if ((await query(sql, [id, userId, message])) === 1) ledger.files.set(id, message);
      },
      async edit() {
        const own = ownMessage();
        if (own === undefined) return;
        const { id, written } = own;
        const content = `edited ${randomUUID()}`;
        const sql = 'update messages set content = $3 where id = $1 and created_at = $2';
        if ((await query(sql, [id, written.createdAt, content])) !== 1) return;
        written.content = content;
        ledger.counts.edited += 1;
      },
      async move() {
        const own = ownMessage();
        const createdAt = messageTime(random, months);
        if (own === undefined) return;
        const { id, written } = own;
        await oneByOne(async () => {
          const sql = 'update messages set created_at = $3 where id = $1 and created_at = $2';
          if ((await query(sql, [id, written.createdAt, createdAt])) !== 1) return;
          written.createdAt = createdAt;
          ledger.counts.moved += 1;
        });
      },
      async deleteMessage() {
        const own = ownMessage();
        if (own === undefined) return;
        const { id, written } = own;
        await oneByOne(async () => {
          const sql = 'delete from messages where id = $1 and created_at = $2';
          if ((await query(sql, [id, written.createdAt])) === 1) ledger.deleteIds([id]);
        });
      },
      async read() {
        await query('select * from messages where conversation_id = $1 order by created_at desc limit 20', [
          random.pick(conversations),
        ]);
      },
      async deleteConversation() {
        const conversation = random.pick(conversations) ?? '';
        await oneByOne(async () => {
          if ((await query('delete from conversations where id = $1', [conversation])) !== 1) return;
          conversations = conversations.filter((id) => id !== conversation);
          ledger.delete((written) => written.conversation === conversation);
          ledger.counts.conversationsDeleted += 1;
        });
      },
    };

    await query(`insert into users (id, username, email, password_hash) values ($1, $2, $3, 'hash')`, [
      userId,
      `user ${number}`,
      `${userId}@example.com`,
    ]);
    await client.end();

    return async (/** @type {number} */ untilMs) => {
      client = await connect(database, `user ${number}`);
      while (performance.now() < untilMs) {
        if (random.next() < 0.05) await query(isolateSession(drawIsolation(random)));
        const chance = random.next();
        if (conversations.length < 5) {
          const id = randomUUID();
          if ((await query('insert into conversations (id, user_id) values ($1, $2)', [id, userId])) === 1)
            conversations.push(id);
        } else if (chance < 0.5) await actions.write();
        else if (chance < 0.6) await actions.read();
        else if (chance < 0.7) await actions.edit();
        else if (chance < 0.82) await actions.move();
        else if (chance < 0.9) await actions.deleteMessage();
        else if (chance < 0.998) await actions.attachFile();
        else await actions.deleteConversation();
        await sleep(10 + random.below(30));
      }
      await client.end();
    };
  };

  const chats = await Promise.all(Array.from({ length: users }, (_, number) => enter(number)));
  return {
    /** @param {number} untilMs */
    async run(untilMs) {
      await Promise.all(chats.map((chat) => chat(untilMs)));
    },
  };
}
