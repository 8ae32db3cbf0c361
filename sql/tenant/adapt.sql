-- Gives a tenant what Citus takes. Policies without subqueries: functions stand in their places, and one of them refuses to answer
-- without a user, since a user who is not handed on to a node would see nothing there, without a word. Trigger functions that do not
-- know a partition by its oid, which is the one of a shard there, and do not join the rows of their statement to a table. Triggers
-- whose conditions name no table that a new node may not have yet, and that do not fire where a node takes rows of another one over.
-- Parameters: none; several statements, in the search_path of the schema
-- Needs:      ownership of the tables
create or replace function aisec_acting_user()
  returns uuid
  language plpgsql
  stable
  parallel safe
as $$
declare
  acting constant text := pg_catalog.current_setting('app.current_user_id', true);
begin
  if coalesce(acting, '') = '' then
    raise exception 'no user is set on this node'
      using errcode = 'insufficient_privilege',
            detail = 'A tenant of Citus answers role authenticated for one user only.',
            hint = 'Begin the transaction with: set local citus.propagate_set_commands = ''local''; '
              'set local role authenticated; set local app.current_user_id = ''…''; as withUser does. set_config() is not handed on.';
  end if;
  return acting::uuid;
end
$$;

create or replace function aisec_own_assistants()
  returns uuid[]
  language plpgsql
  stable
  set search_path from current
  set citus.allow_nested_distributed_execution to on
as $$
begin
  return array(select a.id from assistants a where a.user_id = aisec_acting_user());
end
$$;

create or replace function aisec_own_conversations()
  returns uuid[]
  language plpgsql
  stable
  set search_path from current
  set citus.allow_nested_distributed_execution to on
as $$
begin
  return array(select c.id from conversations c where c.user_id = aisec_acting_user());
end
$$;

-- By its name: a regclass is unknown on a node that has not been given the table yet. Not VOLATILE, which Citus refuses in an update:
-- a row that refers to one of the same statement is refused, where elsewhere it is taken.
create or replace function aisec_sees_row(relation name, row_id uuid)
  returns boolean
  language plpgsql
  stable
  set search_path from current
  set citus.allow_nested_distributed_execution to on
as $$
declare
  is_visible boolean;
begin
  execute format('select exists (select from %I where id = $1)', relation) into is_visible using row_id;
  return is_visible;
end
$$;

create or replace function aisec_owns_row(relation name, row_id uuid)
  returns boolean
  language plpgsql
  stable
  set search_path from current
  set citus.allow_nested_distributed_execution to on
as $$
declare
  is_owned boolean;
begin
  execute format('select exists (select from %I where id = $1 and user_id = $2)', relation)
    into is_owned
    using row_id, aisec_acting_user();
  return is_owned;
end
$$;

create or replace function aisec_keeps_row_reference(
    relation name, key_column name, row_key uuid, reference_column name, reference uuid
  )
  returns boolean
  language plpgsql
  stable
  set search_path from current
  set citus.allow_nested_distributed_execution to on
as $$
declare
  is_kept boolean;
begin
  execute format('select exists (select from %I where %I = $1 and %I = $2)', relation, key_column, reference_column)
    into is_kept
    using row_key, reference;
  return is_kept;
end
$$;

alter function aisec_may_refer_to_message(uuid) stable set citus.allow_nested_distributed_execution to on;

create or replace function aisec_clear_archived_replies()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
as $$
declare
  ids constant uuid[] := array(select d.id from deleted_keys d);
  replies uuid[];
begin
  perform aisec_refuse_stale_snapshot();
  replies := array(select k.id from message_keys k where k.parent_id = any (ids));
  if replies <> '{}' then
    update messages_archive set parent_id = null where id = any (replies);
  end if;
  return null;
end
$$;

create or replace function aisec_delete_archived_messages()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
  set enable_seqscan to off
as $$
declare
  conversation_ids constant uuid[] := array(select d.id from deleted_conversations d);
  ids uuid[];
begin
  perform aisec_refuse_stale_snapshot();
  ids := array(select a.id from messages_archive a where a.conversation_id = any (conversation_ids));
  if ids <> '{}' then
    -- All keys in one statement afterwards: one by one, each would set parent_id in the others to null.
    perform set_config('aisec.moving_messages', 'on', true);
    delete from messages_archive where conversation_id = any (conversation_ids);
    perform set_config('aisec.moving_messages', 'off', true);
    delete from message_keys where id = any (ids);
  end if;
  return null;
end
$$;

-- A foreign key that a partition inherits bears the name of its root's shard there, and could not be dropped when the month goes to
-- the archive.
create or replace function aisec_create_message_month(root regclass, month date)
  returns regclass
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
as $$
declare
  lower_bound constant timestamptz := aisec_message_month_start(month);
  upper_bound constant timestamptz := lower_bound + interval '1 month';
  name constant text := aisec_message_partition_name(root, month);
  made regclass;
  reference record;
begin
  execute format('create table %I (like %s including all excluding comments)', name, root);
  made := format('%I.%I', current_schema(), name)::regclass;
  execute format(
    'alter table %s
       add constraint message_month_bounds check (created_at >= %L::timestamptz and created_at < %L::timestamptz)',
    made, lower_bound, upper_bound
  );
  for reference in
    select c.conname, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c
    where c.conrelid = root
      and c.contype = 'f'
      and c.conparentid = 0
  loop
    execute format('alter table %s add constraint %I %s', made, reference.conname, reference.definition);
  end loop;
  perform aisec_protect_message_partition(root, made);
  return made;
end
$$;

-- The condition of a trigger names a table as text: a regclass is unknown on a node whose copy of message_keys comes after that of
-- messages, and Citus could not take the node in. Where the table is not found the trigger acts.
create or replace function aisec_watch_messages(relation regclass)
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
begin
  execute format(
    'create or replace trigger aisec_unregister_message_keys
       after delete on %s
       referencing old table as deleted_messages
       for each statement
       when (
         current_setting(''aisec.moving_messages'', true) is distinct from ''on''
         or has_table_privilege(to_regclass(%L), ''delete'') is not true
       )
       execute function aisec_unregister_message_keys()',
    relation, format('%I.message_keys', current_schema())
  );
  execute format(
    'create or replace trigger aisec_unregister_truncated_message_keys
       after truncate on %s
       for each statement
       execute function aisec_unregister_truncated_message_keys()',
    relation
  );
end
$$;

-- A node that takes the tenant over by logical replication gets the keys as rows of their own table. Triggers that fired there, too,
-- would write them at the node that the tenant leaves, which takes no writes at the end: the move would wait for ever, and all
-- writers for it. A trigger that is replaced fires in sessions alone, as does each one of a later partition.
do $$
declare
  is_written constant text := format(
    'current_setting(''aisec.moving_messages'', true) is distinct from ''on''
       or has_table_privilege(to_regclass(%L), ''insert'') is not true',
    format('%I.message_keys', current_schema())
  );
  root text;
  made record;
begin
  foreach root in array array['messages', 'messages_archive'] loop
    execute format(
      'create or replace trigger aisec_register_message_key
         before insert on %I
         for each row
         when (%s)
         execute function aisec_register_message_key(%L)',
      root, is_written, root
    );
    execute format('drop trigger if exists aisec_unregister_replicated_message_key on %I', root);
    perform aisec_watch_messages(root::regclass);
    perform aisec_watch_messages(i.inhrelid) from pg_inherits i where i.inhparent = root::regclass;
  end loop;
  execute format(
    'create or replace trigger aisec_check_archived_references
       after insert on messages_archive
       for each row
       when (%s)
       execute function aisec_check_archived_references()',
    is_written
  );
  for made in
    select t.tgrelid::regclass as relation, t.tgname as name
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = quote_ident(current_schema())::regnamespace
      and t.tgenabled = 'A'
      and t.tgparentid = 0
      and t.tgname like 'aisec\_%'
  loop
    execute format('alter table %s enable trigger %I', made.relation, made.name);
  end loop;
end
$$;

create or replace function aisec_record_message_move()
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  moved constant timestamptz := clock_timestamp();
begin
  perform from aisec_message_moves for no key update nowait;
  insert into aisec_message_moves (moved_at) values (moved)
  on conflict (is_only) do update
  set moved_at = excluded.moved_at;
exception
  when lock_not_available then
    raise exception 'a REPEATABLE READ or SERIALIZABLE transaction is deleting messages or conversations'
      using
        errcode = 'lock_not_available',
        detail = 'It must not miss the messages that move between messages and messages_archive.',
        hint = 'No changes were made. Run it again when that transaction has ended.';
end
$$;

create or replace function aisec_move_messages_to_archive(
  source regclass,
  month date,
  after timestamptz,
  before timestamptz,
  max_rows bigint,
  skips_locked boolean,
  out moved_rows bigint,
  out last_created_at timestamptz
)
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set jit to off
as $$
declare
  lower_bound constant timestamptz := greatest(aisec_message_month_start(month), after);
  upper_bound constant timestamptz := least(aisec_message_month_start(month) + interval '1 month', before);
  ids uuid[];
  inserted bigint;
begin
  perform aisec_begin_message_move();
  execute format(
    'select coalesce(array_agg(c.id), ''{}''), count(*), max(c.created_at)
       from (
         select id, created_at from %s
         where created_at >= $1
           and created_at < $2
         order by created_at
         limit $3
         for update %s
       ) c',
    source,
    case when skips_locked then 'skip locked' else '' end
  )
  into ids, moved_rows, last_created_at
  using lower_bound, upper_bound, max_rows;
  if moved_rows = 0 then
    return;
  end if;
  -- SET LOCAL reaches the node, set_config() does not: the triggers there are to leave the keys as they are.
  set local citus.propagate_set_commands to 'local';
  set local aisec.moving_messages to 'on';
  execute format(
    'insert into messages_archive (%2$s) select %2$s from %1$s
      where id = any ($1) and created_at >= $2 and created_at < $3',
    source, aisec_message_columns()
  )
  using ids, lower_bound, upper_bound;
  get diagnostics inserted = row_count;
  execute format('delete from %s where id = any ($1) and created_at >= $2 and created_at < $3', source)
  using ids, lower_bound, upper_bound;
  set local aisec.moving_messages to 'off';
  if inserted <> moved_rows then
    raise exception '% of % messages were copied to the archive', inserted, moved_rows;
  end if;
  perform aisec_record_message_move();
end
$$;

do $$
begin
  perform aisec_revoke_execute(
    'aisec_acting_user()',
    'aisec_own_assistants()',
    'aisec_own_conversations()',
    'aisec_sees_row(name, uuid)',
    'aisec_owns_row(name, uuid)',
    'aisec_keeps_row_reference(name, name, uuid, name, uuid)'
  );
end
$$;

grant execute
  on function
    aisec_acting_user(),
    aisec_own_assistants(),
    aisec_own_conversations(),
    aisec_sees_row(name, uuid),
    aisec_owns_row(name, uuid),
    aisec_keeps_row_reference(name, name, uuid, name, uuid)
  to authenticated;

alter policy user_users_policy on users
  using (id = aisec_acting_user());
alter policy user_voices_policy on voices
  using (user_id = aisec_acting_user());
alter policy user_avatars_policy on avatars
  using (user_id = aisec_acting_user());
alter policy user_personality_templates_policy on personality_templates
  using (user_id = aisec_acting_user());
alter policy user_skill_definitions_policy on skill_definitions
  using (user_id = aisec_acting_user());

alter policy user_assistants_policy on assistants
  using (user_id = aisec_acting_user())
  with check (
    user_id = aisec_acting_user()
    and (
      personality_template_id is null
      or aisec_sees_row('personality_templates', personality_template_id)
      or aisec_keeps_row_reference('assistants', 'id', id, 'personality_template_id', personality_template_id)
    )
    and (
      voice_id is null
      or aisec_sees_row('voices', voice_id)
      or aisec_keeps_row_reference('assistants', 'id', id, 'voice_id', voice_id)
    )
    and (
      avatar_id is null
      or aisec_sees_row('avatars', avatar_id)
      or aisec_keeps_row_reference('assistants', 'id', id, 'avatar_id', avatar_id)
    )
  );

alter policy user_assistant_skills_policy on assistant_skills
  using (assistant_id = any (aisec_own_assistants()))
  with check (
    aisec_owns_row('assistants', assistant_id)
    and (
      aisec_sees_row('skill_definitions', skill_definition_id)
      or aisec_keeps_row_reference(
        'assistant_skills', 'assistant_id', assistant_id, 'skill_definition_id', skill_definition_id
      )
    )
  );

alter policy user_conversations_policy on conversations
  using (user_id = aisec_acting_user())
  with check (
    user_id = aisec_acting_user()
    and (
      assistant_id is null
      or aisec_sees_row('assistants', assistant_id)
      or aisec_keeps_row_reference('conversations', 'id', id, 'assistant_id', assistant_id)
    )
    and (
      voice_id is null
      or aisec_sees_row('voices', voice_id)
      or aisec_keeps_row_reference('conversations', 'id', id, 'voice_id', voice_id)
    )
  );

alter policy user_messages_policy on messages
  using (conversation_id = any (aisec_own_conversations()))
  with check (
    aisec_owns_row('conversations', conversation_id)
    and (
      parent_id is null
      or aisec_may_refer_to_message(parent_id)
      or aisec_keeps_row_reference('messages', 'id', id, 'parent_id', parent_id)
    )
  );

alter policy user_messages_archive_policy on messages_archive
  using (conversation_id = any (aisec_own_conversations()));

alter policy user_files_policy on files
  using (user_id = aisec_acting_user())
  with check (
    user_id = aisec_acting_user()
    and (
      conversation_id is null
      or aisec_sees_row('conversations', conversation_id)
      or aisec_keeps_row_reference('files', 'id', id, 'conversation_id', conversation_id)
    )
    and (
      message_id is null
      or aisec_may_refer_to_message(message_id)
      or aisec_keeps_row_reference('files', 'id', id, 'message_id', message_id)
    )
  );

alter policy user_knowledge_base_policy on knowledge_base
  using (secretary_id = any (aisec_own_assistants()))
  with check (aisec_owns_row('assistants', secretary_id));

alter policy user_user_preferences_policy on user_preferences
  using (user_id = aisec_acting_user())
  with check (
    user_id = aisec_acting_user()
    and (
      default_assistant_id is null
      or aisec_sees_row('assistants', default_assistant_id)
      or aisec_keeps_row_reference('user_preferences', 'user_id', user_id, 'default_assistant_id', default_assistant_id)
    )
  );

alter policy user_api_usage_policy on api_usage
  using (secretary_id = any (aisec_own_assistants()));
