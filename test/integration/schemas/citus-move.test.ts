import type { Kysely } from 'kysely';
import { beforeAll, expect, test } from 'vitest';

import { createDatabase, withUser } from '../../../src/index.js';
import type { DB } from '../../../src/schema/index.js';
import { describeOnCitus } from '../../support/citus.js';
import { waitFor } from '../../support/wait-for.js';

const ANN = '10000000-0000-4000-8000-000000000001';
const CONVERSATION = '20000000-0000-4000-8000-000000000001';
const WRITERS = 3;

describeOnCitus(
  'a tenant of Citus that moves to another node',
  ({ url, admin, aisec, schema, setSharding, nodeOf }) => {
    const tenant = schema('m');
    let nodes: readonly string[] = [];

    beforeAll(async () => {
      await setSharding('on');
      expect(await aisec('migrate up', tenant)).toMatchObject({ exitCode: 0 });
      await admin.query(
        `insert into ${tenant}.users (id, username, email, password_hash) values ('${ANN}', 'ann', 'a@x', 'h')`,
      );
      await admin.query(
        `insert into ${tenant}.conversations (id, user_id, title) values ('${CONVERSATION}', '${ANN}', 'of ann')`,
      );
      const { rows } = await admin.query<{ node: string }>(
        "select nodename || ':' || nodeport as node from pg_dist_node where groupid <> 0 and shouldhaveshards",
      );
      nodes = rows.map(({ node }) => node);
    });

    /** The same for all writers: a question, its answer, and an earlier message deleted. */
    async function write(db: Kysely<DB>): Promise<void> {
      const message = { conversation_id: CONVERSATION, role: 'user' as const, content: 'x' };
      await withUser(db, ANN, async (trx) => {
        const { id } = await trx.insertInto('messages').values(message).returning('id').executeTakeFirstOrThrow();
        await trx
          .insertInto('messages')
          .values({ ...message, parent_id: id })
          .execute();
        const deleted = await trx.insertInto('messages').values(message).returning('id').executeTakeFirstOrThrow();
        await trx.deleteFrom('messages').where('id', '=', deleted.id).execute();
      });
    }

    test('with its users at work waits for nothing that waits for it, and loses nothing', async (context) => {
      const { rows: levels } = await admin.query('show wal_level');
      // A move that lets writers work needs logical decoding, and another node.
      context.skip(levels[0].wal_level !== 'logical' || nodes.length < 2, 'no logical decoding, or one node');
      const db = createDatabase<DB>({ url, schema: tenant, poolSize: WRITERS, maxOverflow: 0 });
      let committed = 0;
      let isOver = false;
      const writers = Array.from({ length: WRITERS }, async () => {
        for (; !isOver; committed += 1) await write(db);
      });
      try {
        // It would wait for ever, and the test says nothing then.
        await admin.query("set statement_timeout = '5min'");
        for (let move = 0; move < 4; move += 1) {
          const before = committed;
          await waitFor(() => Promise.resolve(committed >= before + 2 * WRITERS));
          const here = await nodeOf(tenant);
          const to = nodes.find((node) => node !== here) ?? '';
          const [host, port] = to.split(':');
          await admin.query("select citus_schema_move($1::regnamespace, $2, $3::int, 'force_logical')", [
            tenant,
            host,
            port,
          ]);
          expect(await nodeOf(tenant)).toBe(to);
        }
      } finally {
        isOver = true;
        await Promise.all(writers);
        await db.destroy();
        await admin.query('reset statement_timeout');
      }
      const { rows } = await admin.query(
        `select (select count(*)::int from ${tenant}.messages) as messages, (select count(*)::int from ${tenant}.message_keys) as keys`,
      );
      expect(rows).toEqual([{ messages: 2 * committed, keys: 2 * committed }]);
      expect(await aisec('partitions check --keys', tenant)).toMatchObject({ exitCode: 0 });
    });
  },
);
