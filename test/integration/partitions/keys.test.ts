import { beforeEach, expect, test } from 'vitest';

import { createServerDatabase, describeOnServer, type ServerDatabase } from '../../support/database.js';
import type { CliResult } from '../../support/run-cli.js';
import { runInProcess } from '../../support/run-in-process.js';
import { messagesFrom, monthFromNow, nameOf, ONE_CONVERSATION, rowsOf } from './messages.js';

interface Found {
  readonly id: string;
  readonly message: string;
}

const KEYS = `select (select count(*) from message_keys) || ' keys, ' || (
  select md5(string_agg(keys::text, ',' order by id)) from message_keys as keys
) as state`;

describeOnServer('message_keys that differ from the messages', () => {
  let database: ServerDatabase;
  const [first, second] = [monthFromNow(0), monthFromNow(1)];
  beforeEach(async () => {
    database = await createServerDatabase({ migrated: true });
    await database.admin.query(ONE_CONVERSATION);
    await database.admin.query(messagesFrom(`${first}-07 00:00+00`, 300) + messagesFrom(`${second}-07 00:00+00`, 300));
  });

  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(args, { env: { DATABASE_URL: database.url } });
  const rebuild = (...args: readonly string[]): Promise<CliResult> => aisec('partitions', 'rebuild-keys', ...args);

  /** What the comparison of all keys and the sample of doctor find. */
  async function found(): Promise<{ readonly check: readonly Found[]; readonly doctor: readonly Found[] }> {
    const check = await aisec('partitions', 'check', '--keys', '--json');
    const doctor = await aisec('doctor', '--only', 'partition-keys', '--json');
    const [ofCheck, ofDoctor] = [check, doctor].map(({ stdout, exitCode }) => {
      const { findings } = JSON.parse(stdout) as { findings: readonly Found[] };
      expect(exitCode).toBe(findings.length > 0 ? 3 : 0);
      return findings;
    });
    expect(JSON.parse(doctor.stdout)).toMatchObject({ skipped: [] });
    return { check: ofCheck!, doctor: ofDoctor! };
  }
  const ids = (findings: readonly Found[]): readonly string[] => findings.map(({ id }) => id);

  /** Messages written by a session whose triggers are off, as a bulk load does. */
  const load = (insert: string): string => `
    begin; alter table messages disable trigger user; set local session_replication_role to replica;
    ${insert}
    alter table messages enable always trigger aisec_register_message_key;
    alter table messages enable always trigger aisec_follow_message_key;
    alter table messages enable replica trigger aisec_unregister_replicated_message_key;
    do $$ begin
      perform aisec_watch_messages(relid) from pg_partition_tree('messages'::regclass);
    end $$; commit;`;

  test('are none on a healthy database, neither live nor archived nor of the default partition', async () => {
    await database.admin.query(messagesFrom(`${monthFromNow(-1)}-07 00:00+00`, 3));
    await database.admin.query(messagesFrom(`${monthFromNow(-9)}-07 00:00+00`, 30));
    expect((await aisec('partitions', 'ensure')).exitCode).toBe(0);
    expect((await aisec('archive')).exitCode).toBe(0);
    await database.admin.query(messagesFrom(`${monthFromNow(-20)}-07 00:00+00`, 3));
    expect(await rowsOf(database, 'select from messages_archive')).toHaveLength(30);
    expect((await found()).doctor).toEqual([]);
    const before = await rowsOf(database, KEYS);
    expect(await rebuild()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('nothing to do') });
    expect(await rowsOf(database, KEYS)).toEqual(before);
  });

  test('are found after a load with triggers disabled, by the sample of doctor too, and inserted', async () => {
    await database.admin.query(
      load(messagesFrom(`${first}-09 00:00+00`, 200) + messagesFrom(`${monthFromNow(-3)}-09 00:00+00`, 40)),
    );
    const { check, doctor } = await found();
    expect(ids(check)).toEqual(expect.arrayContaining(['keys-missing:messages']));
    expect(check.find(({ id }) => id === 'keys-missing:messages')!.message).toMatch(
      /^240 messages without a key in message_keys in /,
    );
    expect(ids(doctor)).toEqual(['partition-keys:messages']);
    expect(doctor[0]!.message).toMatch(
      new RegExp(
        `^240 of \\d+ sampled messages have no key in message_keys, or a different one, in ${nameOf(first)}, messages_default, such as `,
      ),
    );
    const before = await rowsOf(database, KEYS);
    const dry = await rebuild('--dry-run', '--json');
    expect(dry.exitCode).toBe(0);
    expect(JSON.parse(dry.stdout)).toMatchObject({ isDryRun: true, insertedKeys: 240, deletedKeys: 0 });
    expect(await rowsOf(database, KEYS)).toEqual(before);
    const run = await rebuild('--json');
    expect(JSON.parse(run.stdout)).toMatchObject({ isDryRun: false, insertedKeys: 240, deletedKeys: 0 });
    const after = await found();
    expect(ids(after.check).filter((id) => id.startsWith('keys-'))).toEqual([]);
    expect(after.doctor).toEqual([]);
  });

  test('are found after a partition was dropped by hand, by the sample of doctor too, and deleted', async () => {
    await database.admin.query(`
      update messages set parent_id = (select id from messages where created_at >= '${second}-01' order by id limit 1)
      where id = (select id from messages where created_at < '${second}-01' order by id limit 1);
      drop table ${nameOf(second)}`);
    const { check, doctor } = await found();
    expect(check.find(({ id }) => id === 'keys-orphaned:messages')!.message).toMatch(
      /^300 keys in message_keys of messages that do not exist, such as /,
    );
    expect(ids(doctor)).toEqual(['partition-keys:message_keys']);
    expect(doctor[0]!.message).toMatch(
      new RegExp(`^20 of 20 sampled keys have no message, in ${second}, such as [0-9a-f-]{36}$`),
    );
    expect(JSON.parse((await rebuild('--dry-run', '--json')).stdout)).toMatchObject({ deletedKeys: 300 });
    expect((await rebuild()).exitCode).toBe(0);
    expect(await rowsOf(database, 'select from message_keys')).toHaveLength(300);
    expect(await rowsOf(database, 'select from messages where parent_id is not null')).toEqual([]);
    const after = await found();
    expect(ids(after.check).filter((id) => id.startsWith('keys-'))).toEqual([]);
    expect(after.doctor).toEqual([]);
  });

  test('are counted by kind: an orphaned key, another created_at, another parent_id; rebuild-keys makes all equal', async () => {
    await database.admin.query(`
      insert into message_keys (id, created_at) values ('00000000-0000-4000-8000-00000000dead', '${first}-09 00:00+00');
      update message_keys set created_at = created_at + interval '1 second'
      where id in (select id from messages where created_at < '${second}-01' order by id limit 2);
      update message_keys set parent_id = gen_random_uuid()
      where id in (select id from messages where created_at >= '${second}-01' order by id limit 3)`);
    const { check, doctor } = await found();
    expect(check.map(({ id, message }) => `${id} ${message.split(' ').slice(0, 2).join(' ')}`)).toEqual([
      'keys-orphaned:messages 1 key',
      'keys-different:messages 5 keys',
    ]);
    // The pages of so small a table are all read, its keys are sampled: the two of another time may be among them.
    expect(ids(doctor)).toContain('partition-keys:messages');
    expect(doctor.find(({ id }) => id === 'partition-keys:messages')!.message).toMatch(/^5 of \d+ sampled messages /);
    const before = await rowsOf(database, KEYS);
    expect(JSON.parse((await rebuild('--dry-run', '--json')).stdout)).toMatchObject({
      insertedKeys: 0,
      deletedKeys: 1,
      correctedKeys: 5,
    });
    expect(await rowsOf(database, KEYS)).toEqual(before);
    expect(await rebuild()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('6 keys changed.') });
    expect(await found()).toEqual({ check: [], doctor: [] });
    expect(await rebuild()).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('nothing to do') });
  });

  test('stay as they are for an id of two messages, which is reported until a person deletes one of them', async () => {
    await database.admin.query(
      load(`insert into messages (id, conversation_id, role, created_at)
        select id, conversation_id, role, '${second}-20 00:00+00'
        from messages where created_at < '${second}-01' order by id limit 1;`),
    );
    const { check } = await found();
    expect(check.map(({ id, message }) => `${id} ${message.split(' ').slice(0, 5).join(' ')}`)).toEqual([
      'keys-doubled:messages 1 id of several messages',
    ]);
    const before = await rowsOf(database, KEYS);
    const run = await rebuild();
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('1 id has several messages') });
    expect(await rowsOf(database, KEYS)).toEqual(before);
    expect(ids((await found()).check)).toEqual(['keys-doubled:messages']);
    await database.admin.query(`delete from messages where created_at = '${second}-20 00:00+00'`);
    expect((await rebuild()).exitCode).toBe(0);
    expect(await found()).toEqual({ check: [], doctor: [] });
  });

  test('are not looked at by a role that may not read them, which is told the grant that lets it', async () => {
    const role = database.name;
    await database.admin.query(`create role "${role}" login`);
    const look = async (): Promise<unknown> =>
      JSON.parse((await aisec('doctor', '--only', 'partition-keys', '--role', role, '--json')).stdout);
    try {
      const { skipped } = (await look()) as { skipped: readonly { readonly fix: string; readonly message: string }[] };
      expect(skipped).toMatchObject([{ check: 'partition-keys', fix: expect.stringContaining('message_keys') }]);
      await database.admin.query(skipped[0]!.fix);
      await database.admin.query(`drop table ${nameOf(second)}`);
      expect(await look()).toMatchObject({ skipped: [], findings: [{ id: 'partition-keys:message_keys' }] });
    } finally {
      await database.admin.query(`drop owned by "${role}"; drop role "${role}"`);
    }
  });

  test('that cannot follow are foreseen: doctor names triggers that are off, on the table itself too', async () => {
    const diagnose = async (): Promise<readonly Found[]> =>
      (
        JSON.parse((await aisec('doctor', '--only', 'partition-triggers', '--json')).stdout) as {
          findings: readonly (Found & { readonly fix: string })[];
        }
      ).findings;
    await database.admin.query('alter table messages disable trigger all');
    const [finding] = (await diagnose()) as readonly (Found & { readonly fix: string })[];
    expect(finding).toMatchObject({ id: 'partition-triggers:messages' });
    for (const sql of finding!.fix.split(/;\s*/)) if (sql !== '') await database.admin.query(sql);
    expect(await diagnose()).toEqual([]);
    // A partition takes the state of the triggers from its table when it is created.
    expect((await aisec('partitions', 'ensure', '--ahead', '5')).exitCode).toBe(0);
    expect(await diagnose()).toEqual([]);
  });
});
