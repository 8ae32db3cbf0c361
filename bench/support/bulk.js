import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { messageTime } from './chat.js';
import { drawIsolation, isolateSession } from './isolation.js';
import { seededRandom } from './random.js';
import { connect } from './server.js';

/** @typedef {import('./chat.js').Written} Written */

const MOST_BATCHES = 60;
const ROLES = /** @type {const} */ (['origin', 'replica', 'replica']);

/**
 * Loads that insert many messages at once and delete them again, mostly with session_replication_role = replica, where no
 * foreign key fires: their conversation is never deleted, and nobody else answers or changes their messages.
 *
 * @param {string} database
 * @param {import('./chat.js').Ledger} ledger
 * @param {{ months: number, seed: number }} options
 */
export async function openBulk(database, ledger, { months, seed }) {
  const random = seededRandom(seed * 1000 + 900);
  const [userId, conversation] = [randomUUID(), randomUUID()];
  /** @type {string[][]} */
  let batches = [];
  let client = await connect(database, 'bulk load');
  await client.query(`insert into users (id, username, email, password_hash)
    values ('${userId}', 'bulk load', '${userId}@example.com', 'hash');
    insert into conversations (id, user_id) values ('${conversation}', '${userId}')`);
  await client.end();

  /** Rolls back unless the work says that it is whole. @param {() => Promise<boolean>} work */
  const transact = async (work) => {
    const role = random.pick(ROLES) ?? 'origin';
    try {
      await client.query(
        `${isolateSession(drawIsolation(random))}; begin; set local session_replication_role to ${role}`,
      );
      const isWhole = await work();
      await client.query(isWhole ? 'commit' : 'rollback');
      if (isWhole) ledger.counts[role === 'replica' ? 'replicaBatches' : 'originBatches'] += 1;
      return isWhole;
    } catch (error) {
      ledger.refuse(error, 'bulk load');
      await client.query('rollback');
      return false;
    }
  };

  const insert = async () => {
    /** @type {Map<string, Written>} */
    const batch = new Map();
    const size = 2 + random.below(60);
    for (let position = 0; position < size; position += 1) {
      const parent = random.next() < 0.3 ? (random.pick([...batch.keys()]) ?? null) : null;
      batch.set(randomUUID(), {
        conversation,
        createdAt: messageTime(random, months),
        content: 'loaded',
        parent,
        isBulk: true,
      });
    }
    const rows = [...batch].map(([id, { createdAt, parent }]) => ({ id, created_at: createdAt, parent_id: parent }));
    const isDone = await transact(async () => {
      await client.query(
        `insert into messages (id, conversation_id, role, content, parent_id, created_at)
         select id, $1, 'user', 'loaded', parent_id, created_at
         from json_to_recordset($2) as r (id uuid, parent_id uuid, created_at timestamptz)`,
        [conversation, JSON.stringify(rows)],
      );
      return true;
    });
    if (!isDone) return;
    for (const [id, written] of batch) ledger.add(id, written);
    batches.push([...batch.keys()]);
  };

  const remove = async () => {
    // Pruned messages are deleted already.
    const batch = random.pick(batches) ?? [];
    const ids = batch.filter((id) => ledger.messages.has(id));
    const isDone = await transact(async () => {
      const live = await client.query('delete from messages where id = any ($1::uuid[])', [ids]);
      const archived = await client.query('delete from messages_archive where id = any ($1::uuid[])', [ids]);
      // A month that moved between the two statements hides some: another time.
      return (live.rowCount ?? 0) + (archived.rowCount ?? 0) === ids.length;
    });
    if (!isDone) return;
    batches = batches.filter((other) => other !== batch);
    ledger.deleteIds(ids);
  };

  return {
    /** @param {number} untilMs */
    async run(untilMs) {
      client = await connect(database, 'bulk load');
      while (performance.now() < untilMs) {
        const isFull = batches.length >= MOST_BATCHES;
        await (isFull || (batches.length > 5 && random.next() < 0.4) ? remove() : insert());
        await sleep(50 + random.below(200));
      }
      await client.end();
    },
  };
}
