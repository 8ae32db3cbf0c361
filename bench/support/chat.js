import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { monthStart } from './months.js';
import { seededRandom } from './random.js';
import { connect } from './server.js';

/** @typedef {{ conversation: string, createdAt: string, content: string, parent: string | null }} Written */

/** A reference to a message that another user has just deleted: refused, as it should be. */
const MESSAGE_IS_GONE = '23503';
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
  counts = { written: 0, replies: 0, edited: 0, deleted: 0, conversationsDeleted: 0, refusedReferences: 0 };

  /** @param {string} id @param {Written} written */
  add(id, written) {
    this.messages.set(id, written);
    this.ids.push(id);
    this.counts.written += 1;
  }

  /** @param {(written: Written) => boolean} isMeant */
  delete(isMeant) {
    for (const [id, written] of this.messages) {
      if (!isMeant(written)) continue;
      this.messages.delete(id);
      this.counts.deleted += 1;
    }
    if (this.ids.length > 2 * this.messages.size) this.ids = [...this.messages.keys()];
  }
}

/**
 * Users who chat until they are stopped. Most messages are of now; the others are dated in past months, since the clock
 * of the server cannot be moved and archiving needs old months.
 *
 * @param {string} database
 * @param {Ledger} ledger
 * @param {{ users: number, months: number, seed: number }} options
 */
export async function startChat(database, ledger, { users, months, seed }) {
  // Two deletions at once may wait for each other's replies: a deadlock of the application's own making.
  let deletion = Promise.resolve();
  let isOver = false;

  const chat = async (/** @type {number} */ number) => {
    const random = seededRandom(seed * 1000 + number);
    const client = await connect(database, `user ${number}`);
    const userId = randomUUID();
    /** @type {string[]} */
    let conversations = [];

    /** @param {string} text @param {readonly unknown[]} [values] */
    const query = async (text, values = []) => {
      const startedMs = performance.now();
      try {
        return (await client.query(text, [...values])).rowCount ?? 0;
      } catch (error) {
        const { code = 'unknown' } = /** @type {{ code?: string }} */ (error);
        if (code === MESSAGE_IS_GONE) ledger.counts.refusedReferences += 1;
        else ledger.errors.set(code, (ledger.errors.get(code) ?? 0) + 1);
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
    const messageTime = () => {
      const month = random.next() < 0.5 ? 0 : random.below(months);
      const from = monthStart(month).getTime();
      return new Date(
        month === 0 ? Date.now() - random.below(DAY_MS) : from + random.next() * 27 * DAY_MS,
      ).toISOString();
    };

    const actions = {
      async write() {
        const [id, conversation] = [randomUUID(), random.pick(conversations) ?? ''];
        const createdAt = messageTime();
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
        const id = anyMessage();
        const written = id === null ? undefined : ledger.messages.get(id);
        if (written === undefined || !conversations.includes(written.conversation)) return;
        const content = `edited ${randomUUID()}`;
        const sql = 'update messages set content = $3 where id = $1 and created_at = $2';
        if ((await query(sql, [id, written.createdAt, content])) !== 1) return;
        written.content = content;
        ledger.counts.edited += 1;
      },
      async read() {
        await query('select * from messages where conversation_id = $1 order by created_at desc limit 20', [
          random.pick(conversations),
        ]);
      },
      async deleteConversation() {
        const conversation = random.pick(conversations) ?? '';
        const mine = deletion.then(async () => {
          if ((await query('delete from conversations where id = $1', [conversation])) !== 1) return;
          conversations = conversations.filter((id) => id !== conversation);
          ledger.delete((written) => written.conversation === conversation);
          ledger.counts.conversationsDeleted += 1;
        });
        deletion = mine;
        await mine;
      },
    };

    await query(`insert into users (id, username, email, password_hash) values ($1, $2, $3, 'hash')`, [
      userId,
      `user ${number}`,
      `${userId}@example.com`,
    ]);
    while (!isOver) {
      const chance = random.next();
      if (conversations.length < 5) {
        const id = randomUUID();
        if ((await query('insert into conversations (id, user_id) values ($1, $2)', [id, userId])) === 1)
          conversations.push(id);
      } else if (chance < 0.6) await actions.write();
      else if (chance < 0.75) await actions.read();
      else if (chance < 0.86) await actions.edit();
      else if (chance < 0.998) await actions.attachFile();
      else await actions.deleteConversation();
      await sleep(10 + random.below(30));
    }
    await client.end();
  };

  const chats = Array.from({ length: users }, (_, number) => chat(number));
  return {
    async stop() {
      isOver = true;
      await Promise.all(chats);
    },
  };
}
