import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import path from 'node:path';

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createDatabase } from '../../../src/client/create-database.js';
import { withUser } from '../../../src/client/with-user.js';
import { createTestDatabase, type TestDatabase } from '../../../src/testing/index.js';
import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import { dropMadeFrom, madeFrom } from '../../support/testing-databases.js';

const USER = { username: 'ada', email: 'ada@example.com', password_hash: 'x' };
const entry = path.join(import.meta.dirname, '..', '..', '..', 'dist', 'testing', 'index.js');

describeOnServer('createTestDatabase with a url', () => {
  let home: ServerDatabase;
  let databases: readonly TestDatabase[];

  const made = () => madeFrom(home);

  beforeAll(async () => {
    home = await createServerDatabase();
    databases = await Promise.all([1, 2, 3].map(() => createTestDatabase({ url: home.url })));
  });
  afterAll(async () => {
    await Promise.all(databases.map((each) => each.close()));
    const left = await made();
    await dropMadeFrom(home);
    expect(left.map(({ is_template: isTemplate }) => isTemplate)).toEqual([true]);
  });

  function database(index: number): TestDatabase {
    const found = databases[index];
    if (found === undefined) throw new Error('it was not made');
    return found;
  }

  test('makes one template for all who ask at once, and for each a copy with the whole schema of its own', async () => {
    expect((await made()).map(({ is_template: isTemplate }) => isTemplate)).toEqual([true, false, false, false]);
    const [one, two] = [database(0).admin, database(1).admin];
    const { id } = await one.insertInto('users').values(USER).returning('id').executeTakeFirstOrThrow();
    await one
      .insertInto('users')
      .values({ ...USER, username: 'bob', email: 'b@x' })
      .execute();
    const seen = await withUser(database(0).db, id, (trx) => trx.selectFrom('users').select('username').execute());
    expect(seen).toEqual([{ username: 'ada' }]);
    await expect(database(0).db.selectFrom('users').select('id').execute()).rejects.toMatchObject({ code: '42501' });
    const service = createDatabase({ url: database(0).url ?? '' });
    expect((await sql`select session_user::text as name`.execute(service)).rows).toEqual([{ name: database(0).role }]);
    await expect(service.selectFrom('users').select('id').execute()).rejects.toMatchObject({ code: '42501' });
    await service.destroy();
    expect(await two.selectFrom('users').selectAll().execute()).toEqual([]);
    await database(0).reset();
    expect(await one.selectFrom('users').selectAll().execute()).toEqual([]);
  });

  test('has more than one session, and reset ends what a test has left open or set in one', async () => {
    const two = database(2);
    const { admin: db } = two;
    await db.insertInto('users').values(USER).execute();
    const events = new EventEmitter();
    const locked = once(events, 'locked');
    const stuck = db.transaction().execute(async (trx) => {
      await sql`lock table users`.execute(trx);
      events.emit('locked');
      await sql`select pg_sleep(60)`.execute(trx);
    });
    const failed = expect(stuck).rejects.toMatchObject({ code: '57P01' });
    await locked;
    await sql`set role authenticated`.execute(db);
    const bystander = await home.admin.query('select pg_backend_pid()');
    await two.reset();
    // Nobody else on the server has noticed.
    expect((await home.admin.query('select pg_backend_pid()')).rows).toEqual(bystander.rows);
    await failed;
    const { rows } = await sql`select current_user = session_user as is_itself, count(*)::integer as users from users
      `.execute(db);
    expect(rows).toEqual([{ is_itself: true, users: 0 }]);
  });

  test('drops the copies of processes that were killed, and none of those that live', async () => {
    const program = `
      const { createTestDatabase } = await import(process.env.ENTRY);
      await createTestDatabase({ url: process.env.URL_OF_SERVER });
      console.log('ready'); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env: { PATH: process.env['PATH'], ENTRY: entry, URL_OF_SERVER: home.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(await made()).toHaveLength(5);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect
      .poll(async () => {
        const next = await createTestDatabase({ url: home.url });
        const names = await made();
        await next.close();
        return names.length;
      })
      .toBe(5);
    expect(await made()).toHaveLength(4);
    await database(0).admin.selectFrom('users').selectAll().execute();
  });
});
