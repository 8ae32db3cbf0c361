import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { runInProcess } from '../../support/run-in-process.js';

describeOnServer('columns of messages that are otherwise on messages_archive', () => {
  test.each([
    [
      'a collation',
      'alter table messages add column mood text collate "C"; alter table messages_archive add column mood text',
      'mood is text collate "C" on messages and text on messages_archive',
    ],
    [
      'what generates it',
      `alter table messages add column words int generated always as (length(content)) stored;
       alter table messages_archive add column words int`,
      'words is integer generated on messages and integer on messages_archive',
    ],
  ])('%s: doctor finds what archive refuses', async (_what, change, difference) => {
    const database = await createServerDatabase({ migrated: true });
    const env = { DATABASE_URL: database.url };
    await database.admin.query(`
      select aisec_make_message_partitions(array['2026-01-01']::date[]);
      insert into users (username, email, password_hash) values ('u', 'u@x', 'h');
      insert into conversations (user_id) select id from users;
      insert into messages (conversation_id, role, created_at) select id, 'user', '2026-01-02' from conversations`);
    await database.admin.query(change);
    const refused = await runInProcess(['archive', '--dry-run'], { env });
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`column ${difference}`) });
    const doctor = await runInProcess(['doctor', '--only', 'archive-columns', '--json'], { env });
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      findings: [
        { id: 'archive-columns:messages_archive', message: expect.stringContaining(`; ${difference}`), fix: null },
      ],
    });
  });
});
