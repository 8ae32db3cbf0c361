-- What SQL users call: archiving from pg_cron, one message by its id, the messages of one conversation.
--
-- A condition on id alone, or on conversation_id alone, reads the index of every partition of messages and
-- messages_archive and locks seven relations a month: 40 sessions with 130 months exhaust the lock table of a server with
-- stock settings. The functions here read the partitions that hold the rows, and no other.

-- Up Migration

create function archive_old_messages(retention interval default '6 months')
  returns integer
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set lock_timeout to '100ms'
as $$
declare
  -- Its locks last until the transaction ends, and every month adds about 5 ms to that.
  months_a_call constant integer := 24;
  -- Who changes one of these messages waits for the transaction to end.
  rows_a_call constant integer := 5000;
  cutoff timestamptz;
  default_partition regclass;
  waiting_months date[] := '{}';
  first_day date;
  source regclass;
  partition regclass;
  has_rows boolean;
  whole_months date[] := '{}';
  late_months date[] := '{}';
  swapped date[] := '{}';
  sources regclass[] := '{}';
  counts bigint[] := '{}';
  started timestamptz := clock_timestamp();
  moved bigint;
  archived bigint := 0;
  months_done integer := 0;
  months_left integer;
  rows_left bigint := rows_a_call;
  problem text;
  problems text[] := '{}';
  are_locks boolean := true;
begin
  if retention is null or retention < interval '0' then
    raise exception 'invalid retention "%", expected an interval that is not negative', coalesce(retention::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if retention > interval '0' and retention < interval '1 day' then
    raise exception 'invalid retention "%", expected at least a day', retention
      using
        errcode = 'invalid_parameter_value',
        hint = 'Write the unit, as in interval ''6 months''.';
  end if;
  -- A month is archived when all of it is older than the retention.
  cutoff := date_trunc('month', now() - retention);
  perform aisec_begin_message_move();

  default_partition := aisec_message_default_partition();
  if default_partition is not null then
    execute format(
      'select array(
         select distinct date_trunc(''month'', created_at)::date
         from only %s
         where created_at >= ''0001-01-01 00:00:00+00''
           and created_at < $1
       )',
      default_partition
    )
    into waiting_months
    using cutoff;
  end if;
  for first_day, source in
    select w.month, aisec_find_message_partition('messages'::regclass, w.month)
    from (
      select b.lower_bound::date
      from aisec_message_partition_bounds() b
      where b.parent = 'messages'::regclass
        and b.upper_bound <= cutoff
        and b.lower_bound = date_trunc('month', b.lower_bound)
        and b.upper_bound = b.lower_bound + interval '1 month'
      union
      select unnest(waiting_months)
    ) w (month)
    order by w.month
  loop
    if source is not null and aisec_overlapping_message_partitions('messages_archive'::regclass, first_day) is null then
      whole_months := whole_months || first_day;
      continue;
    end if;
    -- A month that the archive has a part of keeps its emptied partition: a REPEATABLE READ transaction may still read
    -- it. aisec archive drops it.
    has_rows := first_day = any (waiting_months);
    if not has_rows then
      execute format('select exists (select from only %s)', source) into has_rows;
    end if;
    if has_rows then
      late_months := late_months || first_day;
    end if;
  end loop;

  -- What takes time comes first, while no lock stops a writer: counting, and waiting for autovacuum.
  foreach first_day in array whole_months[:months_a_call] loop
    begin
      source := aisec_find_message_partition('messages'::regclass, first_day);
      perform aisec_free_archive_name(first_day);
      perform aisec_lock_maintenance(array[source]);
      execute format('select count(*) from only %s', source) into moved;
      sources := sources || source;
      swapped := swapped || first_day;
      counts := counts || moved;
    exception
      when others then
        are_locks := are_locks and sqlstate = '55P03';
        problems := problems || format('month %s: %s', to_char(first_day, 'YYYY-MM'), sqlerrm);
    end;
  end loop;
  if sources <> '{}' then
    perform aisec_lock_message_swap(sources);
  end if;
  for position in 1..cardinality(sources) loop
    begin
      insert into archive_journal
        (month, action, partition_name, row_count, row_count_is_exact, cutoff, started_at, finished_at, tool_version)
      values
        (swapped[position], 'archive', aisec_swap_to_archive(sources[position], swapped[position]), counts[position],
         false, cutoff, started, clock_timestamp(), 'archive_old_messages');
      archived := archived + counts[position];
      months_done := months_done + 1;
    exception
      when others then
        are_locks := are_locks and sqlstate = '55P03';
        problems := problems || format('month %s: %s', to_char(swapped[position], 'YYYY-MM'), sqlerrm);
    end;
  end loop;
  months_left := greatest(0, cardinality(whole_months) - months_a_call) + cardinality(late_months);

  -- Never in the same call: who changes a moved message would wait for the locks on the months as well.
  if sources = '{}' then
    foreach first_day in array late_months loop
      exit when rows_left = 0;
      months_left := months_left - 1;
      begin
        perform aisec_ensure_archive_month(first_day);
        moved := 0;
        source := aisec_find_message_partition('messages'::regclass, first_day);
        foreach partition in array array_remove(array[default_partition, source], null) loop
          moved := moved + (aisec_move_messages_to_archive(
            partition, first_day, '-infinity', 'infinity', rows_left - moved, true
          )).moved_rows;
        end loop;
        continue when moved = 0;
        insert into archive_journal
          (month, action, partition_name, row_count, row_count_is_exact, cutoff, started_at, finished_at, tool_version)
        values
          (first_day, 'move rows', aisec_message_partition_name('messages_archive'::regclass, first_day), moved, true,
           cutoff, started, clock_timestamp(), 'archive_old_messages');
        archived := archived + moved;
        rows_left := rows_left - moved;
        months_done := months_done + 1;
      exception
        when others then
          are_locks := are_locks and sqlstate = '55P03';
          problems := problems || format('month %s: %s', to_char(first_day, 'YYYY-MM'), sqlerrm);
          -- Who holds it holds it for every month.
          exit when sqlstate = '55P03';
      end;
    end loop;
    if rows_left = 0 then
      months_left := months_left + 1;
    end if;
  end if;
  if months_left > 0 then
    raise warning '% more months are old enough to be archived', months_left
      using hint = 'Call archive_old_messages again in another transaction.';
  end if;

  if problems <> '{}' and months_done = 0 then
    raise exception 'no month could be archived'
      using
        errcode = case when are_locks then '55P03' else '55000' end,
        detail = array_to_string(problems, '; ') || '.';
  end if;
  foreach problem in array problems loop
    raise warning 'not archived: %', problem;
  end loop;
  return least(archived, 2147483647)::integer;
end
$$;

-- plpgsql and a plan of its own for every call: the planner then sees the time itself, removes the other partitions, and
-- neither opens nor locks them. A plan for any time locks them all before it removes them
-- (https://www.postgresql.org/docs/16/ddl-partitioning.html#DDL-PARTITION-PRUNING), which waits for each session that
-- changes one of them.
create function find_message(message_id uuid)
  returns setof all_messages
  language plpgsql
  stable
  rows 1
  set search_path from current
  set plan_cache_mode to force_custom_plan
as $$
declare
  sent_at timestamptz;
begin
  select k.created_at
  into sent_at
  from message_keys k
  where k.id = message_id;
  if not found then
    return;
  end if;
  return query
  select *
  from all_messages m
  where m.id = message_id
    and m.created_at = sent_at;
end
$$;

-- The newest month before a time that holds messages of a conversation. It looks into partition after partition, newest
-- first, and releases their locks again: a block that fails gives its locks back. The variables keep their values.
create function aisec_previous_conversation_month(
  conversation uuid,
  before timestamptz,
  out lower_bound timestamptz,
  out upper_bound timestamptz
)
  language plpgsql
  stable
  security definer
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set enable_seqscan to off
as $$
declare
  is_allowed boolean;
  default_partition constant regclass := aisec_message_default_partition();
  waiting_at timestamptz;
  candidate record;
  is_found boolean;
begin
  -- For role authenticated: only the user's own conversations, as the policies have it.
  select c.user_id = current_user_id() or has_table_privilege(session_user, 'message_keys', 'select')
  into is_allowed
  from conversations c
  where c.id = conversation;
  if is_allowed is not true then
    return;
  end if;

  begin
    if default_partition is not null then
      execute format(
        'select max(created_at) from only %s where conversation_id = $1 and created_at < $2',
        default_partition
      )
      into waiting_at
      using conversation, before;
    end if;
    for candidate in
      select b.partition, b.lower_bound, b.upper_bound
      from aisec_message_partition_bounds() b
      where not b.is_default
        and b.lower_bound < before
        and (waiting_at is null or b.upper_bound > waiting_at)
      order by b.upper_bound desc
    loop
      execute format(
        'select exists (select from only %s where conversation_id = $1 and created_at < $2)',
        candidate.partition
      )
      into is_found
      using conversation, before;
      if is_found then
        lower_bound := candidate.lower_bound;
        upper_bound := candidate.upper_bound;
        exit;
      end if;
    end loop;
    raise exception using errcode = 'AI000';
  exception
    when sqlstate 'AI000' then
      null;
  end;
  if lower_bound is null and waiting_at is not null then
    lower_bound := case when isfinite(waiting_at) then date_trunc('month', waiting_at) else waiting_at end;
    upper_bound := case when isfinite(waiting_at) then lower_bound + interval '1 month' else before end;
  end if;
end
$$;

create function conversation_messages(
  conversation_id uuid,
  before timestamptz default 'infinity',
  before_id uuid default null,
  max_rows integer default 50
)
  returns setof all_messages
  language plpgsql
  stable
  rows 50
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
as $$
#variable_conflict use_variable
declare
  -- Messages of the very time of before_id may be left, so the search begins just after it.
  upto timestamptz := case
    when before_id is not null and isfinite(before) then before + interval '1 microsecond'
    else before
  end;
  range record;
  found_rows integer;
begin
  if max_rows is null or max_rows < 1 then
    raise exception 'invalid max_rows "%", expected a positive number', coalesce(max_rows::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  loop
    select * into range from aisec_previous_conversation_month(conversation_id, upto);
    exit when range.lower_bound is null;
    return query execute format(
      'select *
       from all_messages m
       where m.conversation_id = $1
         and m.created_at >= %L::timestamptz
         and m.created_at < %L::timestamptz
         and m.created_at <= %L::timestamptz
         and (m.created_at < %L::timestamptz or m.id < $2)
       order by m.created_at desc, m.id desc
       limit $3',
      range.lower_bound, least(range.upper_bound, upto), before, before
    )
    using conversation_id, before_id, max_rows;
    get diagnostics found_rows = row_count;
    max_rows := max_rows - found_rows;
    exit when max_rows <= 0;
    upto := least(range.lower_bound, upto);
  end loop;
end
$$;

comment on function archive_old_messages(interval) is
  'Moves the months of messages that are wholly older than the retention to messages_archive, the oldest 24 in one '
  'call; when there is none, up to 5,000 messages that were written for months of the archive. Returns how many messages '
  'that were, counted before the move. Its locks last until the transaction ends, so call it alone. Fails with 55P03 while '
  'aisec changes the database.';
comment on function find_message(uuid) is
  'The message with this id, live or archived, read from the partition of its month; no row when there is none. '
  'Needs to read message_keys and all_messages.';
comment on function aisec_previous_conversation_month(uuid, timestamptz) is
  'Internal. The range of the newest partition that holds messages of a conversation before a time; nulls when there is '
  'none, or the conversation is not one of the user''s.';
comment on function conversation_messages(uuid, timestamptz, uuid, integer) is
  'The newest messages of a conversation, live and archived, before a time (and, at that very time, before an id), the '
  'newest first. Give created_at and id of the last for the next page. Locks only the partitions it returns rows of.';

do $$
begin
  perform aisec_revoke_execute(
    'archive_old_messages(interval)',
    'find_message(uuid)',
    'aisec_previous_conversation_month(uuid, timestamptz)',
    'conversation_messages(uuid, timestamptz, uuid, integer)'
  );
end
$$;
grant execute
  on function
    conversation_messages(uuid, timestamptz, uuid, integer),
    aisec_previous_conversation_month(uuid, timestamptz)
  to authenticated;

-- Down Migration

drop function
  conversation_messages(uuid, timestamptz, uuid, integer),
  aisec_previous_conversation_month(uuid, timestamptz),
  find_message(uuid),
  archive_old_messages(interval);
