import { createHash } from 'node:crypto';

import { expect, test } from 'vitest';

import { sqlFile } from '../../../src/adapters/postgres/sql-file.js';
import { snapshotOf } from '../../support/catalog.js';
import { createServerDatabase, describeOnServer } from '../../support/database.js';

/**
 * What the migrations make of which sql/tenant/adapt.sql has a version of its own, as it was when that was written. Where one
 * differs, a later migration has changed it: change sql/tenant/adapt.sql likewise (or see that it need not be), then record it here.
 */
const RECORDED: Readonly<Record<string, string>> = {
  'function aisec_clear_archived_replies': '469677ac6747',
  'function aisec_create_message_month': 'b69ec7beaf23',
  'function aisec_delete_archived_messages': '5a40610235aa',
  'function aisec_may_refer_to_message': '55e34fb67ee1',
  'function aisec_move_messages_to_archive': '80ea5ae49c8a',
  'function aisec_record_message_move': '392aa6ec38f8',
  'function aisec_watch_messages': '3aa99361f038',
  'policy user_api_usage_policy': '42413271b407',
  'policy user_assistant_skills_policy': '509107e7f940',
  'policy user_assistants_policy': '25d988296731',
  'policy user_avatars_policy': 'd8019d6e3b9b',
  'policy user_conversations_policy': 'f38fafdca90c',
  'policy user_files_policy': '89421161cbaa',
  'policy user_knowledge_base_policy': 'c700d51bfe75',
  'policy user_messages_archive_policy': '72171062e7f2',
  'policy user_messages_policy': 'dcbbe2d7fc24',
  'policy user_personality_templates_policy': '67685a907575',
  'policy user_skill_definitions_policy': '96e4ebec4207',
  'policy user_user_preferences_policy': '6c2bf206736b',
  'policy user_users_policy': '47ddeba393c4',
  'policy user_voices_policy': 'aca40a37f85b',
  'trigger aisec_check_archived_references on messages_archive': '26742eb63cf7',
  'trigger aisec_register_message_key on messages': 'd6bfe0990d34',
  'trigger aisec_register_message_key on messages_archive': '105680e9e2da',
  'trigger aisec_register_message_key on messages_default': 'f99fdd5fa6af',
  'trigger aisec_unregister_message_keys on messages': '2fe35c6be553',
  'trigger aisec_unregister_message_keys on messages_archive': '04f28949a488',
  'trigger aisec_unregister_message_keys on messages_default': 'fca30f0b329d',
};

/** The comment is for people. */
function digest(item: object): string {
  return createHash('sha256')
    .update(JSON.stringify({ ...item, comment: null }))
    .digest('hex')
    .slice(0, 12);
}

const SQL = sqlFile('tenant/adapt');

function named(pattern: RegExp): ReadonlySet<string> {
  return new Set([...SQL.matchAll(pattern)].map(([, name = '']) => name));
}

async function digests(url: string): Promise<Readonly<Record<string, string>>> {
  const [functions, policies] = [
    named(/^(?:create or replace|alter) function (\w+)/gm),
    named(/^alter policy (\w+)/gm),
  ];
  const catalog = await snapshotOf(url);
  return Object.fromEntries([
    ...catalog.functions
      .filter(({ name }) => functions.has(name))
      .map((item) => [`function ${item.name}`, digest(item)]),
    ...catalog.policies.filter(({ name }) => policies.has(name)).map((item) => [`policy ${item.name}`, digest(item)]),
    ...catalog.triggers
      .filter(({ definition }) => definition.includes("'::regclass"))
      .map((item) => [`trigger ${item.name} on ${item.table}`, digest(item)]),
  ]);
}

describeOnServer('what a tenant of Citus has another version of', () => {
  test('is what the migrations make, as it was when the other version was written', async () => {
    const { url, admin } = await createServerDatabase({ migrated: true });
    expect(await digests(url)).toEqual(RECORDED);
    await admin.query(
      "create or replace function aisec_record_message_move() returns void language plpgsql as 'begin null; end'",
    );
    expect(Object.entries(await digests(url)).filter(([name, found]) => RECORDED[name] !== found)).toHaveLength(1);
  });
});
