import { expect, test } from 'vitest';

import { createServerDatabase, describeOnServer } from '../support/database.js';
import { runInProcess } from '../support/run-in-process.js';

describeOnServer('aisec subset', () => {
  test('refuses a reference whose two columns have different classes, since masks would part the rows', async () => {
    const { url, admin } = await createServerDatabase({ migrated: true });
    const run = (...args: readonly string[]) => runInProcess(args, { env: { DATABASE_URL: url } });
    expect(await run('seed', 'demo', '--users', '3', '--messages', '20', '--embeddings', '0')).toMatchObject({
      exitCode: 0,
    });
    await admin.query(`create table team_rules (
        id bigint generated always as identity primary key,
        email text not null references users (email) on update cascade on delete cascade
      );
      comment on column team_rules.email is 'Whose. pii: text';
      insert into team_rules (email) select email from users`);
    const refused = await run('subset', '--users', '2', '--mask', '--dry-run');
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain(
      'column public.team_rules.email has class text, and public.users.email, which it refers to, has class email',
    );
    const [, fix = ''] = /fix: (comment on column .*;)/.exec(refused.stderr) ?? [];
    await admin.query(fix);
    expect(await run('subset', '--users', '2', '--mask', '--dry-run')).toMatchObject({ exitCode: 0 });
  });
});
