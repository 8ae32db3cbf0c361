import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { conversationId } from './months.js';
import { connect } from './server.js';

/** One message, as an application writes it. @param {string} table */
function insertOne(table) {
  return {
    name: `insert into ${table}`,
    text: `insert into ${table} (conversation_id, role, content) values ($1, 'user', $2)`,
  };
}

/** @typedef {(client: import('pg').Client, number: number) => Promise<void>} Work */

/** @param {string} table @returns {Work} */
export function writeOne(table = 'messages') {
  const statement = insertOne(table);
  return async (client, number) => {
    await client.query({ ...statement, values: [conversationId(number), 'a message '.repeat(20)] });
  };
}

/** A message and its conversation in one transaction of two round trips, half of the time in the other order. @type {Work} */
export async function writeBoth(client, number) {
  const id = conversationId(Math.floor(Math.random() * 1e6));
  const message = `insert into messages (id, conversation_id, role, content) values ('${randomUUID()}', '${id}', 'user', 'a message')`;
  const conversation = `update conversations set status = 'open' where id = '${id}'`;
  const [first, second] = number % 2 === 0 ? [message, conversation] : [conversation, message];
  try {
    await client.query(`begin; ${first}`);
    await client.query(`${second}; commit`);
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/**
 * Transactions at a rate until stopped. A wait is the time of one transaction as its client sees it; a client that fell
 * behind does not make up for it.
 *
 * @param {string} database
 * @param {{ clients: number, perSecond: number, work: Work }} options
 */
export async function startTraffic(database, { clients, perSecond, work }) {
  const sessions = await Promise.all(
    Array.from({ length: clients }, (_, index) => connect(database, `application ${index}`)),
  );
  const periodMs = (1000 * clients) / perSecond;
  let isOver = false;
  /** @type {number[]} */
  let waitsMs = [];
  /** @type {Map<string, number>} */
  const errors = new Map();
  const loops = sessions.map(async (client, index) => {
    let dueMs = performance.now() + (periodMs * index) / clients;
    for (let number = index; !isOver; number += 1) {
      await sleep(Math.max(0, dueMs - performance.now()));
      const startedMs = performance.now();
      try {
        await work(client, number);
      } catch (error) {
        const { code = 'unknown' } = /** @type {{ code?: string }} */ (error);
        errors.set(code, (errors.get(code) ?? 0) + 1);
      }
      waitsMs.push(performance.now() - startedMs);
      dueMs = Math.max(dueMs + periodMs, performance.now() - periodMs);
    }
    await client.end();
  });
  return {
    /** The waits since the last call. */
    takeWaits() {
      const taken = waitsMs;
      waitsMs = [];
      return taken;
    },
    errors,
    async stop() {
      isOver = true;
      await Promise.all(loops);
      return waitsMs;
    },
  };
}
