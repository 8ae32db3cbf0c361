import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';

const ID = '0000cafe-0000-4000-8000-000000000001';

describeOnServer('aisec subset', () => {
  test('a message of another century makes its own month, and no more', async () => {
    const [source, target] = [
      await createServerDatabase({ migrated: true }),
      await createServerDatabase({ migrated: true }),
    ];
    await source.admin.query(`
      insert into users (id, username, email, password_hash) values ('${ID}', 'centuries', 'u@aozora.co.jp', 'x');
      insert into conversations (id, user_id) values ('${ID}', '${ID}')`);
    await source.admin.query(`
      insert into messages (conversation_id, role, created_at)
      select '${ID}', 'user', at::timestamptz from unnest(array['1901-02-03Z', '1970-01-01Z', '2199-05-06Z', 'infinity']) as at`);
    const result = await runInProcess(['subset', '--users', '1', '--mask', '--into-url', target.url], {
      env: { DATABASE_URL: source.url, PATH: process.env['PATH'] ?? '' },
    });
    expect(result).toMatchObject({ exitCode: 0 });
    const { rows } = await target.admin.query(
      'select tableoid::regclass::text as partition from messages order by created_at',
    );
    expect(rows.map(({ partition }: { partition: string }) => partition)).toEqual([
      'messages_y1901m02',
      'messages_y1970m01',
      'messages_y2199m05',
      'messages_default',
    ]);
    const { rowCount } = await target.admin.query("select from pg_inherits where inhparent = 'messages'::regclass");
    expect(rowCount).toBe(8);
  });
});
