import { conversationId } from './months.js';

/**
 * The same rows in tables as the design document has them: messages partitioned by month, no keys table, and a plain
 * archive table with the same indexes, with the document's function that moves rows.
 *
 * @param {import('pg').Client} client
 * @param {{ partition: string, from: string, to: string }} month the partition the rows are copied from, and its bounds
 */
export async function makeDocumentTables(client, { partition, from, to }) {
  await client.query(`
    create schema document;
    create table document.messages (
      id uuid not null default gen_random_uuid(),
      conversation_id uuid not null references conversations (id) on delete cascade,
      role varchar(50) not null,
      content text,
      content_type varchar(50),
      parent_id uuid,
      metadata jsonb,
      created_at timestamptz not null default now(),
      primary key (id, created_at)
    ) partition by range (created_at);
    create table document.messages_old (like document.messages including defaults);
    create table document.messages_new (like document.messages including defaults);`);
  await client.query(`insert into document.messages_old select id, conversation_id, role, content, content_type, parent_id,
    metadata, created_at from ${partition}`);
  await client.query(`
    alter table document.messages attach partition document.messages_old for values from ('${from}') to ('${to}');
    alter table document.messages attach partition document.messages_new for values from ('${to}') to (maxvalue);
    create index on document.messages (conversation_id);
    create index on document.messages (role);
    create index on document.messages (parent_id);
    create index on document.messages (created_at);
    create index on document.messages (conversation_id, created_at desc);
    create table document.messages_archive (like document.messages including all);
    create function document.archive_old_messages() returns integer language plpgsql as $$
    declare
      archived_count integer;
    begin
      with moved_messages as (
        delete from document.messages where created_at < now() - interval '6 months' returning *
      )
      insert into document.messages_archive select * from moved_messages;
      get diagnostics archived_count = row_count;
      return archived_count;
    end $$;
    insert into document.messages (conversation_id, role) values ('${conversationId(0)}', 'user');`);
  await client.query('vacuum (analyze) document.messages');
  await client.query('checkpoint');
}
