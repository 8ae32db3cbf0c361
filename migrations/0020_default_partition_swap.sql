-- A large month leaves the default partition without its rows being moved: the default partition becomes the month.
--
-- Deleting the rows of a month from messages_default under ACCESS EXCLUSIVE keeps everybody waiting for about 4 ms a
-- thousand rows (300,000: 1.3 s). Now a default partition whose rows are nearly all of one month is detached, attached
-- as that month, and a fresh default partition takes its place, with the few rows of other months. What is left of the
-- wait is one scan that proves the bounds: it cannot be made before, since until then rows of any month may arrive.
--
-- Also: the SQLSTATE of each problem, a limit to how long locks are tried for (setting aisec.lock_deadline_ms), a
-- restore that knows of an unfinished prune, and a journal of archive_old_messages.

-- Up Migration

create function message_lock_time_left_ms()
  returns numeric
  language sql
  volatile
  set search_path from current
as $$
  select coalesce(
    nullif(current_setting('aisec.lock_deadline_ms', true), '')::numeric
      - extract(epoch from clock_timestamp()) * 1000,
    'infinity'
  )
$$;

comment on function message_lock_time_left_ms() is
  'Milliseconds until the caller gives up waiting for locks: the setting aisec.lock_deadline_ms, an epoch in '
  'milliseconds by the clock of the server; infinity when it is not set.';

create or replace function lock_message_maintenance(relations regclass[])
  returns void
  language plpgsql
  volatile
  set search_path from current
  set lock_timeout to '100ms'
as $$
declare
  relation regclass;
  holders text;
begin
  -- A worker of autovacuum gives way only to a session that waited for deadlock_timeout. SHARE UPDATE EXCLUSIVE stops
  -- no reader and no writer while it waits or is held, so it can afford that wait; it also keeps a second run out.
  foreach relation in array relations loop
    begin
      perform set_config(
        'lock_timeout',
        (
          select ceil(greatest(100, least(s.setting::numeric + 4000, message_lock_time_left_ms())))
          from pg_settings s
          where s.name = 'deadlock_timeout'
        )::text,
        true
      );
      execute format('lock table only %s in share update exclusive mode', relation);
    exception
      when lock_not_available or deadlock_detected then
        holders := describe_lock_holders(relation, 'share update exclusive');
        raise exception 'another session is maintaining %', relation
          using
            errcode = 'lock_not_available',
            detail = coalesce('Now ' || holders || '.', 'Its lock has been released since.'),
            hint = 'Wait until the other partition run, VACUUM or CREATE INDEX has ended, then run again.';
    end;
  end loop;
end
$$;

create or replace function lock_message_tables(relations regclass[], modes text[])
  returns void
  language plpgsql
  volatile
  set search_path from current
  set lock_timeout to '100ms'
as $$
declare
  attempts constant integer := 30;
  -- For all the locks together: no statement of a writer waits longer for one attempt. Well below deadlock_timeout.
  budget_ms constant numeric := (
    select least(100, s.setting::numeric * 0.4) from pg_settings s where s.name = 'deadlock_timeout'
  );
  attempts_made integer;
  pause_s double precision;
  started timestamptz;
  remaining_ms numeric;
  relation regclass;
  mode text;
  holders text;
begin
  for attempt in 1..attempts loop
    begin
      started := clock_timestamp();
      for position in 1..cardinality(relations) loop
        relation := relations[position];
        mode := modes[position];
        remaining_ms := budget_ms - extract(epoch from clock_timestamp() - started) * 1000;
        perform set_config('lock_timeout', ceil(greatest(1, remaining_ms))::text, true);
        execute format('lock table only %s in %s mode', relation, mode);
      end loop;
      return;
    exception
      when lock_not_available or deadlock_detected then
        holders := describe_lock_holders(relation, mode);
    end;
    attempts_made := attempt;
    -- Jitter, and longer pauses after more failures, let the queue behind each attempt drain.
    pause_s := 0.05 + random() * 0.01 * attempt;
    exit when attempt = attempts or message_lock_time_left_ms() < pause_s * 1000;
    perform pg_sleep(pause_s);
  end loop;
  raise exception 'could not lock % in time', relation
    using
      errcode = 'lock_not_available',
      detail = format('Tried %s times; at the last one %s.', attempts_made, coalesce(holders, 'the holder had gone')),
      hint = 'Nothing was changed. End the transaction that holds the table, or run again when it is quieter.';
end
$$;

create function protect_message_partition(root regclass, partition regclass)
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  parent record;
  grantee record;
begin
  select pg_get_userbyid(c.relowner) as owner, c.relreplident as replica_identity
  into strict parent
  from pg_class c
  where c.oid = root;

  execute format('alter table %s enable row level security', partition);
  if parent.replica_identity = 'f' then
    execute format('alter table %s replica identity full', partition);
  elsif parent.replica_identity = 'n' then
    execute format('alter table %s replica identity nothing', partition);
  end if;

  -- ALTER DEFAULT PRIVILEGES may have granted something; a partition is reached through messages only.
  for grantee in
    select distinct a.grantee
    from pg_class c
    cross join lateral aclexplode(c.relacl) a
    where c.oid = partition
      and a.grantee <> c.relowner
  loop
    execute format(
      'revoke all on table %s from %s',
      partition,
      case when grantee.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee.grantee)) end
    );
  end loop;
  if parent.owner <> current_user then
    execute format('alter table %s owner to %I', partition, parent.owner);
  end if;
end
$$;

comment on function protect_message_partition(regclass, regclass) is
  'Gives a new partition of messages or messages_archive row level security, the replica identity and the owner of its '
  'root, and takes every grant away.';

create or replace function create_message_month(root regclass, month date)
  returns regclass
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
as $$
declare
  lower_bound constant timestamptz := message_month_start(month);
  upper_bound constant timestamptz := lower_bound + interval '1 month';
  name constant text := message_partition_name(root, month);
  made regclass;
begin
  execute format('create table %I (like %s including all excluding comments)', name, root);
  made := format('%I.%I', current_schema(), name)::regclass;

  -- Validated while the table is empty: no later attach, to messages or to messages_archive, has to scan it.
  execute format(
    'alter table %s
       add constraint message_month_bounds check (created_at >= %L::timestamptz and created_at < %L::timestamptz)',
    made, lower_bound, upper_bound
  );
  perform protect_message_partition(root, made);
  return made;
end
$$;

create function default_month_to_swap(
  default_partition regclass,
  missing date[],
  out month date,
  out row_count bigint
)
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set jit to off
as $$
declare
  -- Below this the rows are moved in a few milliseconds, under weaker locks.
  least_rows constant bigint := 2000;
  -- A row of another month costs eight times what a row of this month does: it is written again under the locks.
  least_share constant bigint := 8;
begin
  execute format(
    'with counted as materialized (
       select date_trunc(''month'', created_at)::date as month, count(*) as row_count
       from only %s
       group by 1
     )
     select c.month, c.row_count
     from counted c
     where c.month = any ($1)
       and c.row_count >= $2
       and c.row_count >= $3 * (select coalesce(sum(o.row_count), 0) from counted o where o.month <> c.month)',
    default_partition
  )
  into month, row_count
  using missing, least_rows, least_share;
end
$$;

comment on function default_month_to_swap(regclass, date[]) is
  'The one of the missing months that nearly all rows of the default partition belong to, and how many these are; null '
  'when they are few, or of several months.';

create function swap_default_message_partition(default_partition regclass, month date)
  returns regclass
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set enable_seqscan to off
as $$
declare
  lower_bound constant timestamptz := message_month_start(month);
  upper_bound constant timestamptz := lower_bound + interval '1 month';
  month_name constant text := message_partition_name('messages'::regclass, month);
  column_list constant text := message_column_list();
  default_name text;
  default_comment text;
  fresh regclass;
  index record;
  others bigint;
begin
  if to_regclass(format('%I.%I', current_schema(), month_name)) is not null then
    raise exception 'the name % is taken by something that is not a partition of messages; rename or drop that', month_name
      using errcode = 'duplicate_table';
  end if;
  select c.relname, obj_description(c.oid, 'pg_class')
  into strict default_name, default_comment
  from pg_class c
  where c.oid = default_partition;

  perform settle_message_checks(default_partition);
  execute format('alter table messages detach partition %s', default_partition);
  -- Its indexes give their names free as well: those of the fresh default partition are to be the usual ones.
  for index in
    select x.indexrelid::regclass as name, month_name || substr(i.relname, length(default_name) + 1) as new_name
    from pg_index x
    join pg_class i on i.oid = x.indexrelid
    where x.indrelid = default_partition
      and starts_with(i.relname, default_name || '_')
  loop
    execute format('alter index %s rename to %I', index.name, index.new_name);
  end loop;
  execute format('alter table %s rename to %I', default_partition, month_name);
  execute format('comment on table %s is null', default_partition);
  execute format('create table %I partition of messages default', default_name);
  fresh := format('%I.%I', current_schema(), default_name)::regclass;
  perform protect_message_partition('messages'::regclass, fresh);
  execute format('comment on table %s is %L', fresh, default_comment);

  -- Rows of other months only change their table: their keys stay, so the triggers are silent.
  perform set_config('aisec.moving_messages', 'on', true);
  execute format(
    'with gone as (
       delete from only %1$s where created_at < $1 or created_at >= $2 returning %2$s
     )
     insert into %3$s (%2$s) select %2$s from gone',
    default_partition, column_list, fresh
  )
  using lower_bound, upper_bound;
  get diagnostics others = row_count;
  perform set_config('aisec.moving_messages', 'off', true);
  if others > 0 then
    perform settle_message_checks(fresh);
  end if;

  execute format(
    'alter table %s
       add constraint message_month_bounds check (created_at >= %L::timestamptz and created_at < %L::timestamptz)',
    default_partition, lower_bound, upper_bound
  );
  execute format(
    'alter table messages attach partition %s for values from (%L) to (%L)',
    default_partition, lower_bound, upper_bound
  );
  return fresh;
end
$$;

comment on function swap_default_message_partition(regclass, date) is
  'Makes the default partition the partition of one month and puts a fresh one in its place, with the rows of other '
  'months; the caller holds ACCESS EXCLUSIVE on messages, the default partition and what foreign keys point to. '
  'Returns the fresh default partition.';

-- Their results have one more column, which CREATE OR REPLACE cannot add.
drop function ensure_message_partitions(integer, date);
drop function ensure_message_partition(date);
drop function make_message_partitions(date[]);

create function make_message_partitions(months date[])
  returns table (month date, partition_name text, created boolean, rows_moved bigint, problem text, problem_code text)
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set lock_timeout to '100ms'
  set jit to off
  set work_mem to '64MB'
as $$
#variable_conflict use_column
declare
  default_partition regclass;
  column_list constant text := message_column_list();
  lower_bound timestamptz;
  upper_bound timestamptz;
  missing date[];
  names text[];
  made regclass[] := array_fill(null::regclass, array[cardinality(months)]);
  attached boolean[] := array_fill(false, array[cardinality(months)]);
  moved bigint[] := array_fill(0::bigint, array[cardinality(months)]);
  problems text[];
  codes text[] := array_fill(null::text, array[cardinality(months)]);
  -- The month that the default partition itself becomes; null when its rows are few or of many months.
  swapped_month date;
  swapped_rows bigint;
  -- The row versions copied before the locks, to find out under the locks which have changed since.
  copied_tuples tid[] := '{}';
  copied_versions xid[] := '{}';
  copied_ids uuid[] := '{}';
  new_tuples tid[];
  new_versions xid[];
  new_ids uuid[];
  may_hide_rows boolean := false;
  error_message text;
  error_detail text;
  error_hint text;
  error_code text;
begin
  -- Twice: without any lock first, since usually nothing is missing; and again when no other run can interfere.
  for pass in 1..2 loop
    with bounds as materialized (
      select b.parent, b.partition, b.lower_bound, b.upper_bound
      from message_partition_bounds() b
      where not b.is_default
    )
    select
      array_agg(c.name order by w.position),
      array_agg(c.problem order by w.position),
      coalesce(array_agg(w.month order by w.position) filter (where c.name is null), '{}')
    into names, problems, missing
    from (
      select
        m.month,
        m.position,
        message_month_start(m.month) as lower_bound,
        message_month_start(m.month) + interval '1 month' as upper_bound
      from unnest(months) with ordinality as m(month, position)
    ) w
    left join lateral (
      select
        (select r.relname::text from pg_class r where r.oid = b.partition) as name,
        case
          when b.parent = 'messages'::regclass and (b.lower_bound > w.lower_bound or b.upper_bound < w.upper_bound)
            then format('partition %s covers a part of the month', b.partition)
        end as problem
      from bounds b
      where b.lower_bound < w.upper_bound
        and b.upper_bound > w.lower_bound
      -- A month in the archive is not made again: late rows for it wait in the default partition.
      order by b.parent = 'messages'::regclass desc, b.lower_bound
      limit 1
    ) c on true;
    for position in 1..cardinality(months) loop
      codes[position] := case when problems[position] is not null then '55000' end;
    end loop;
    exit when pass = 2 or missing = '{}';

    begin
      select b.partition
      into default_partition
      from message_partition_bounds() b
      where b.is_default
        and b.parent = 'messages'::regclass;
      perform lock_message_maintenance(
        array_remove(array['messages'::regclass] || message_reference_tables() || default_partition, null)
      );
    exception
      when lock_not_available then
        get stacked diagnostics
          error_message = message_text,
          error_detail = pg_exception_detail,
          error_hint = pg_exception_hint,
          error_code = returned_sqlstate;
        for position in 1..cardinality(months) loop
          if months[position] = any (missing) then
            codes[position] := error_code;
            problems[position] := concat_ws('; ', error_message, rtrim(error_detail, '.'), rtrim(error_hint, '.'));
          end if;
        end loop;
        missing := '{}';
        exit;
    end;
  end loop;

  <<change>>
  begin
    if default_partition is not null and missing <> '{}' then
      select s.month, s.row_count
      into swapped_month, swapped_rows
      from default_month_to_swap(default_partition, missing) s;
      may_hide_rows := swapped_month is not null;
    end if;

    for position in 1..cardinality(months) loop
      continue when not months[position] = any (missing);
      lower_bound := message_month_start(months[position]);
      upper_bound := lower_bound + interval '1 month';
      names[position] := message_partition_name('messages'::regclass, months[position]);
      continue when months[position] = swapped_month;
      begin
        made[position] := create_message_month('messages'::regclass, months[position]);
        -- Whoever writes to the current month or an earlier one now may be writing to the default partition.
        if lower_bound <= now() then
          may_hide_rows := true;
        end if;
        -- Beside a swap the few other rows change their place under the locks: a copy of before would not know it.
        if default_partition is not null and swapped_month is null then
          -- Copied without a lock that stops anyone; what changes meanwhile is mended under the locks.
          execute format(
            'with source as materialized (
               select ctid as tuple, xmin as version, %2$s from only %1$s where created_at >= $1 and created_at < $2
             ), copy as (
               insert into %3$s (%2$s) select %2$s from source
             )
             select array_agg(tuple), array_agg(version), array_agg(id) from source',
            default_partition, column_list, made[position]
          )
          into new_tuples, new_versions, new_ids
          using lower_bound, upper_bound;
          if new_tuples is not null then
            may_hide_rows := true;
            copied_tuples := copied_tuples || new_tuples;
            copied_versions := copied_versions || new_versions;
            copied_ids := copied_ids || new_ids;
          end if;
        end if;
      exception
        when duplicate_table then
          made[position] := null;
          codes[position] := sqlstate;
          problems[position] := format(
            'the name %I is taken by something that is not a partition of messages; rename or drop that',
            names[position]
          );
        when others then
          made[position] := null;
          codes[position] := sqlstate;
          problems[position] := sqlerrm;
      end;
    end loop;

    if array_remove(made, null) = '{}' and swapped_month is null then
      exit change;
    end if;

    perform lock_message_tables(
      array_remove(message_reference_tables() || 'messages'::regclass || default_partition, null),
      -- Attaching a table that has the foreign keys already merges them and drops triggers on what they point to.
      array_fill(
        case when swapped_month is null then 'share row exclusive' else 'access exclusive' end,
        array[cardinality(message_reference_tables())]
      )
        || case when may_hide_rows then 'access exclusive' else 'share update exclusive' end
        || 'access exclusive'::text
    );

    if swapped_month is not null then
      declare
        position constant integer := array_position(months, swapped_month);
      begin
        default_partition := swap_default_message_partition(default_partition, swapped_month);
        attached[position] := true;
        moved[position] := swapped_rows;
      exception
        when others then
          codes[position] := sqlstate;
          problems[position] := sqlerrm;
      end;
    end if;

    for position in 1..cardinality(months) loop
      continue when made[position] is null;
      lower_bound := message_month_start(months[position]);
      upper_bound := lower_bound + interval '1 month';
      begin
        if default_partition is not null then
          if copied_ids <> '{}' then
            execute format(
              'delete from only %2$s n
               using unnest($1, $2, $3) as c(tuple, version, id)
               where n.id = c.id
                 and not exists (select from only %1$s d where d.ctid = c.tuple and d.xmin = c.version)',
              default_partition, made[position]
            )
            using copied_tuples, copied_versions, copied_ids;
          end if;
          execute format(
            'insert into %3$s (%2$s)
             select %2$s
             from only %1$s d
             where d.created_at >= $4
               and d.created_at < $5
               and not exists (
                 select
                 from unnest($1, $2, $3) as c(tuple, version, id)
                 where c.tuple = d.ctid
                   and c.version = d.xmin
               )',
            default_partition, column_list, made[position]
          )
          using copied_tuples, copied_versions, copied_ids, lower_bound, upper_bound;
          moved[position] := delete_moved_messages(default_partition, lower_bound, upper_bound);
          if moved[position] > 0 and not may_hide_rows then
            raise exception 'rows of the month arrived in % at this moment; run again', default_partition
              using errcode = 'serialization_failure';
          end if;
        end if;
        execute format(
          'alter table messages attach partition %s for values from (%L) to (%L)',
          made[position], lower_bound, upper_bound
        );
        attached[position] := true;
      exception
        when others then
          codes[position] := sqlstate;
          problems[position] := sqlerrm;
          moved[position] := 0;
          execute format('drop table %s', made[position]);
      end;
    end loop;
  exception
    when lock_not_available then
      get stacked diagnostics
        error_message = message_text,
        error_detail = pg_exception_detail,
        error_hint = pg_exception_hint,
        error_code = returned_sqlstate;
      for position in 1..cardinality(months) loop
        if made[position] is not null or months[position] = swapped_month then
          codes[position] := error_code;
          problems[position] := concat_ws('; ', error_message, rtrim(error_detail, '.'), rtrim(error_hint, '.'));
          moved[position] := 0;
          attached[position] := false;
        end if;
      end loop;
  end;

  return query
  select w.month, w.partition_name, w.created, w.rows_moved, w.problem, w.problem_code
  from unnest(months, names, attached, moved, problems, codes)
    as w(month, partition_name, created, rows_moved, problem, problem_code);
end
$$;

comment on function make_message_partitions(date[]) is
  'Makes the partitions of messages for the months that no partition covers, and moves their rows out of the '
  'default partition, or makes the default partition the month when nearly all of its rows are of one. rows_moved is '
  'what was counted before the locks. problem_code is the SQLSTATE of a problem; 55P03, 40P01 and 40001 pass.';

create function ensure_message_partition(for_month date)
  returns table (month date, partition_name text, created boolean, rows_moved bigint, problem text, problem_code text)
  language plpgsql
  volatile
  set search_path from current
as $$
begin
  if for_month is null or not isfinite(for_month) then
    raise exception 'for_month must be a finite date'
      using errcode = 'invalid_parameter_value';
  end if;
  return query select * from make_message_partitions(array[date_trunc('month', for_month::timestamp)::date]);
end
$$;

comment on function ensure_message_partition(date) is
  'Makes the partition of messages for the month of a date unless one covers it; one row, with the reason in '
  'problem, and its SQLSTATE in problem_code, when it could not.';

create function ensure_message_partitions(ahead integer default 3, from_month date default null)
  returns table (month date, partition_name text, created boolean, rows_moved bigint, problem text, problem_code text)
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  current_month constant date := date_trunc('month', now() at time zone 'UTC')::date;
  first_month date;
  month_count numeric;
begin
  if ahead is null or ahead < 0 or ahead > 120 then
    raise exception 'ahead must be between 0 and 120 months'
      using
        errcode = 'invalid_parameter_value',
        detail = format('It is %s.', coalesce(ahead::text, 'null'));
  end if;
  if from_month is not null and not isfinite(from_month) then
    raise exception 'from_month must be a finite date'
      using errcode = 'invalid_parameter_value';
  end if;
  first_month := coalesce(date_trunc('month', from_month::timestamp)::date, current_month);
  if first_month > current_month then
    raise exception 'from_month must not lie in the future'
      using
        errcode = 'invalid_parameter_value',
        detail = format('It is %s; the current month in UTC is %s.', from_month, to_char(current_month, 'YYYY-MM')),
        hint = 'Use ahead for the months to come.';
  end if;
  month_count := (extract(year from current_month) - extract(year from first_month)) * 12
    + extract(month from current_month) - extract(month from first_month) + ahead + 1;
  if month_count > 1200 then
    raise exception 'from_month lies too far in the past'
      using
        errcode = 'invalid_parameter_value',
        detail = format('It would take %s partitions; at most 1200 are made.', month_count),
        hint = 'Give a later month.';
  end if;
  return query
  select *
  from make_message_partitions(
    array(
      select (first_month + make_interval(months => n))::date
      from generate_series(0, month_count::integer - 1) n
      order by n
    )
  );
end
$$;

comment on function ensure_message_partitions(integer, date) is
  'Makes the monthly partitions of messages from from_month (default: the current month in UTC) to the given number '
  'of months ahead; one row a month, with the reason in problem, and its SQLSTATE in problem_code, when it could not.';

create or replace function restore_message_partition(month date)
  returns text
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set lock_timeout to '100ms'
as $$
declare
  first_day constant date := finished_message_month(month);
  lower_bound constant timestamptz := message_month_start(first_day);
  upper_bound constant timestamptz := lower_bound + interval '1 month';
  label constant text := to_char(first_day, 'YYYY-MM');
  live_name constant text := message_partition_name('messages'::regclass, first_day);
  reference_tables constant regclass[] := message_reference_tables();
  column_list constant text := message_column_list();
  exclusive_tables regclass[];
  source regclass := find_message_partition('messages_archive'::regclass, first_day);
  live text;
  default_partition regclass;
  moved bigint;
begin
  if source is not null then
    perform lock_message_maintenance(message_maintenance_tables() || source);
    source := find_message_partition('messages_archive'::regclass, first_day);
  end if;
  if exists (
    select
    from archive_journal j
    where j.month = first_day
      and j.action = 'prune'
      and j.finished_at is null
  ) then
    raise exception 'month % is being pruned', label
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = 'A prune was begun and not finished: replies and files do not refer to all of its messages any more.',
        hint = 'Finish it with aisec archive prune, or load the month from its export.';
  end if;
  live := overlapping_message_partitions('messages'::regclass, first_day);
  if source is null then
    raise exception 'messages_archive has no partition for month %', label
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = format('In messages it is in: %s.', coalesce(live, 'none'));
  end if;
  if live is not null then
    raise exception 'month % is partly live', label
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = format('%s holds rows of it, and so does %s.', live, source),
        hint = 'Archive the rest of the month first, then restore the whole.';
  end if;
  if to_regclass(format('%I.%I', current_schema(), live_name)) is not null then
    raise exception 'the name % is taken', live_name
      using
        errcode = 'duplicate_table',
        detail = format('Month %s would get this name in messages.', label),
        hint = 'Rename or drop the relation that has the name.';
  end if;

  -- ATTACH merges the partition's foreign keys into those of messages and drops the triggers that kept them, so what
  -- they point to is needed in ACCESS EXCLUSIVE mode too, for a few milliseconds.
  select b.partition
  into default_partition
  from message_partition_bounds() b
  where b.is_default
    and b.parent = 'messages'::regclass;
  exclusive_tables := array_remove(
    reference_tables || array['messages_archive'::regclass, 'messages'::regclass] || default_partition || source,
    null
  );
  perform lock_message_tables(
    exclusive_tables,
    array_fill('access exclusive'::text, array[cardinality(exclusive_tables)])
  );

  execute format('alter table messages_archive detach partition %s', source);
  if default_partition is not null then
    -- Rows that were written for the month while it was archived.
    perform settle_message_checks(source);
    execute format(
      'insert into %1$s (%2$s) select %2$s from only %3$s where created_at >= $1 and created_at < $2',
      source, column_list, default_partition
    )
    using lower_bound, upper_bound;
    moved := delete_moved_messages(default_partition, lower_bound, upper_bound);
  end if;
  execute format('alter table %s rename to %I', source, live_name);
  execute format(
    'alter table messages attach partition %s for values from (%L) to (%L)',
    source, lower_bound, upper_bound
  );
  return live_name;
end
$$;

create function record_archived_month(
  month date,
  action text,
  partition_name text,
  row_count bigint,
  row_count_is_exact boolean,
  cutoff timestamptz,
  started_at timestamptz
)
  returns void
  language sql
  volatile
  set search_path from current
as $$
  insert into archive_journal
    (month, action, partition_name, row_count, row_count_is_exact, cutoff, started_at, finished_at, tool_version)
  select month, action, partition_name, row_count, row_count_is_exact, cutoff, started_at, clock_timestamp(),
    'archive_old_messages'
  where action <> 'move rows'
    or row_count > 0
$$;

comment on function record_archived_month(date, text, text, bigint, boolean, timestamptz, timestamptz) is
  'Writes what archive_old_messages has done to a month to archive_journal.';

comment on column archive_journal.tool_version is
  'Version of aisec, or archive_old_messages when that was called from SQL.';

create or replace function archive_old_messages(retention interval default '6 months')
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
  cutoff timestamptz;
  default_partition regclass;
  default_months date[] := '{}';
  months date[];
  unmade_months date[] := '{}';
  partition regclass;
  partitions regclass[];
  partly_archived boolean[];
  counts bigint[];
  started timestamptz;
  row_total bigint;
  archived bigint := 0;
  months_done integer := 0;
  made record;
  problem text;
  problems text[] := '{}';
begin
  if retention is null or retention < interval '0' then
    raise exception 'retention must not be negative or null'
      using errcode = 'invalid_parameter_value';
  end if;
  if retention > interval '0' and retention < interval '1 day' then
    raise exception 'retention is shorter than a day'
      using
        errcode = 'invalid_parameter_value',
        detail = format('It is %s.', retention),
        hint = 'Write the unit, as in interval ''6 months''.';
  end if;
  -- A month goes when the whole of it is older than the retention.
  cutoff := date_trunc('month', now() - retention);

  select b.partition
  into default_partition
  from message_partition_bounds() b
  where b.is_default
    and b.parent = 'messages'::regclass;
  if default_partition is not null then
    execute format(
      'select coalesce(array_agg(distinct date_trunc(''month'', created_at)::date), ''{}'')
       from only %s
       where created_at >= ''0001-01-01 00:00:00+00''
         and created_at < $1',
      default_partition
    )
    into default_months
    using cutoff;
  end if;
  months := array(
    select o.month
    from (
      select b.lower_bound::date as month
      from message_partition_bounds() b
      where b.parent = 'messages'::regclass
        and b.upper_bound <= cutoff
        and b.lower_bound = date_trunc('month', b.lower_bound)
        and b.upper_bound = b.lower_bound + interval '1 month'
      union
      select unnest(default_months)
    ) o
    order by o.month
  );
  if months = '{}' then
    return 0;
  end if;
  if cardinality(months) > months_a_call then
    raise warning '% more months are old enough to be archived', cardinality(months) - months_a_call
      using hint = 'Call archive_old_messages again in another transaction.';
    months := months[:months_a_call];
  end if;

  -- What takes time comes first, while no lock stops anybody: waiting for autovacuum, counting, and moving the rows
  -- whose month is in the archive already.
  partitions := array_fill(null::regclass, array[cardinality(months)]);
  partly_archived := array_fill(false, array[cardinality(months)]);
  counts := array_fill(0::bigint, array[cardinality(months)]);
  perform lock_message_maintenance(message_maintenance_tables());
  for position in 1..cardinality(months) loop
    partition := find_message_partition('messages'::regclass, months[position]);
    begin
      if partition is not null then
        perform lock_message_maintenance(array[partition]);
      end if;
      if overlapping_message_partitions('messages_archive'::regclass, months[position]) is not null then
        partly_archived[position] := true;
        started := clock_timestamp();
        counts[position] := move_messages_to_archive(months[position], max_rows => 9223372036854775807);
        perform record_archived_month(
          months[position], 'move rows', message_partition_name('messages_archive'::regclass, months[position]),
          counts[position], true, cutoff, started
        );
        archived := archived + counts[position];
      elsif partition is not null then
        execute format('select count(*) from only %s', partition) into row_total;
        counts[position] := row_total;
      else
        unmade_months := unmade_months || months[position];
      end if;
      partitions[position] := partition;
    exception
      when others then
        problems := problems || format('month %s: %s', to_char(months[position], 'YYYY-MM'), sqlerrm);
    end;
  end loop;

  for made in select * from make_message_partitions(unmade_months) loop
    if made.problem is null then
      partitions[array_position(months, made.month)] := find_message_partition('messages'::regclass, made.month);
      counts[array_position(months, made.month)] := made.rows_moved;
    else
      problems := problems || format('month %s: %s', to_char(made.month, 'YYYY-MM'), made.problem);
    end if;
  end loop;

  if array_remove(partitions, null) <> '{}' then
    perform lock_messages_to_archive(array_remove(partitions, null));
  end if;
  for position in 1..cardinality(months) loop
    continue when partitions[position] is null;
    begin
      started := clock_timestamp();
      perform record_archived_month(
        months[position],
        'archive',
        case
          when partly_archived[position] then archive_message_partition(months[position])
          else swap_message_partition_to_archive(partitions[position], months[position])
        end,
        counts[position],
        partly_archived[position],
        cutoff,
        started
      );
      if not partly_archived[position] then
        archived := archived + counts[position];
      end if;
      months_done := months_done + 1;
    exception
      when others then
        problems := problems || format('month %s: %s', to_char(months[position], 'YYYY-MM'), sqlerrm);
    end;
  end loop;

  if problems <> '{}' and archived = 0 and months_done = 0 then
    raise exception 'no month could be archived'
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = array_to_string(problems, '; ') || '.';
  end if;
  foreach problem in array problems loop
    raise warning 'not archived: %', problem;
  end loop;
  return least(archived, 2147483647)::integer;
end
$$;

revoke execute on function
  message_lock_time_left_ms(),
  protect_message_partition(regclass, regclass),
  default_month_to_swap(regclass, date[]),
  swap_default_message_partition(regclass, date),
  make_message_partitions(date[]),
  ensure_message_partition(date),
  ensure_message_partitions(integer, date),
  record_archived_month(date, text, text, bigint, boolean, timestamptz, timestamptz)
from public;

-- Down Migration

drop function ensure_message_partitions(integer, date);
drop function ensure_message_partition(date);
drop function make_message_partitions(date[]);

create or replace function archive_old_messages(retention interval default '6 months')
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
  cutoff timestamptz;
  default_partition regclass;
  default_months date[] := '{}';
  months date[];
  unmade_months date[] := '{}';
  partition regclass;
  partitions regclass[];
  partly_archived boolean[];
  counts bigint[];
  row_total bigint;
  archived bigint := 0;
  months_done integer := 0;
  made record;
  problem text;
  problems text[] := '{}';
begin
  if retention is null or retention < interval '0' then
    raise exception 'retention must not be negative or null'
      using errcode = 'invalid_parameter_value';
  end if;
  if retention > interval '0' and retention < interval '1 day' then
    raise exception 'retention is shorter than a day'
      using
        errcode = 'invalid_parameter_value',
        detail = format('It is %s.', retention),
        hint = 'Write the unit, as in interval ''6 months''.';
  end if;
  -- A month goes when the whole of it is older than the retention.
  cutoff := date_trunc('month', now() - retention);

  select b.partition
  into default_partition
  from message_partition_bounds() b
  where b.is_default
    and b.parent = 'messages'::regclass;
  if default_partition is not null then
    execute format(
      'select coalesce(array_agg(distinct date_trunc(''month'', created_at)::date), ''{}'')
       from only %s
       where created_at >= ''0001-01-01 00:00:00+00''
         and created_at < $1',
      default_partition
    )
    into default_months
    using cutoff;
  end if;
  months := array(
    select o.month
    from (
      select b.lower_bound::date as month
      from message_partition_bounds() b
      where b.parent = 'messages'::regclass
        and b.upper_bound <= cutoff
        and b.lower_bound = date_trunc('month', b.lower_bound)
        and b.upper_bound = b.lower_bound + interval '1 month'
      union
      select unnest(default_months)
    ) o
    order by o.month
  );
  if months = '{}' then
    return 0;
  end if;
  if cardinality(months) > months_a_call then
    raise warning '% more months are old enough to be archived', cardinality(months) - months_a_call
      using hint = 'Call archive_old_messages again in another transaction.';
    months := months[:months_a_call];
  end if;

  -- What takes time comes first, while no lock stops anybody: waiting for autovacuum, counting, and moving the rows
  -- whose month is in the archive already.
  partitions := array_fill(null::regclass, array[cardinality(months)]);
  partly_archived := array_fill(false, array[cardinality(months)]);
  counts := array_fill(0::bigint, array[cardinality(months)]);
  perform lock_message_maintenance(message_maintenance_tables());
  for position in 1..cardinality(months) loop
    partition := find_message_partition('messages'::regclass, months[position]);
    begin
      if partition is not null then
        perform lock_message_maintenance(array[partition]);
      end if;
      if overlapping_message_partitions('messages_archive'::regclass, months[position]) is not null then
        partly_archived[position] := true;
        archived := archived + move_messages_to_archive(months[position], max_rows => 9223372036854775807);
      elsif partition is not null then
        execute format('select count(*) from only %s', partition) into row_total;
        counts[position] := row_total;
      else
        unmade_months := unmade_months || months[position];
      end if;
      partitions[position] := partition;
    exception
      when others then
        problems := problems || format('month %s: %s', to_char(months[position], 'YYYY-MM'), sqlerrm);
    end;
  end loop;

  for made in select * from make_message_partitions(unmade_months) loop
    if made.problem is null then
      partitions[array_position(months, made.month)] := find_message_partition('messages'::regclass, made.month);
      counts[array_position(months, made.month)] := made.rows_moved;
    else
      problems := problems || format('month %s: %s', to_char(made.month, 'YYYY-MM'), made.problem);
    end if;
  end loop;

  if array_remove(partitions, null) <> '{}' then
    perform lock_messages_to_archive(array_remove(partitions, null));
  end if;
  for position in 1..cardinality(months) loop
    continue when partitions[position] is null;
    begin
      if partly_archived[position] then
        perform archive_message_partition(months[position]);
      else
        perform swap_message_partition_to_archive(partitions[position], months[position]);
        archived := archived + counts[position];
      end if;
      months_done := months_done + 1;
    exception
      when others then
        problems := problems || format('month %s: %s', to_char(months[position], 'YYYY-MM'), sqlerrm);
    end;
  end loop;

  if problems <> '{}' and archived = 0 and months_done = 0 then
    raise exception 'no month could be archived'
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = array_to_string(problems, '; ') || '.';
  end if;
  foreach problem in array problems loop
    raise warning 'not archived: %', problem;
  end loop;
  return least(archived, 2147483647)::integer;
end
$$;

create or replace function restore_message_partition(month date)
  returns text
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set lock_timeout to '100ms'
as $$
declare
  first_day constant date := finished_message_month(month);
  lower_bound constant timestamptz := message_month_start(first_day);
  upper_bound constant timestamptz := lower_bound + interval '1 month';
  label constant text := to_char(first_day, 'YYYY-MM');
  live_name constant text := message_partition_name('messages'::regclass, first_day);
  reference_tables constant regclass[] := message_reference_tables();
  column_list constant text := message_column_list();
  exclusive_tables regclass[];
  source regclass := find_message_partition('messages_archive'::regclass, first_day);
  live text;
  default_partition regclass;
  moved bigint;
begin
  if source is not null then
    perform lock_message_maintenance(message_maintenance_tables() || source);
    source := find_message_partition('messages_archive'::regclass, first_day);
  end if;
  live := overlapping_message_partitions('messages'::regclass, first_day);
  if source is null then
    raise exception 'messages_archive has no partition for month %', label
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = format('In messages it is in: %s.', coalesce(live, 'none'));
  end if;
  if live is not null then
    raise exception 'month % is partly live', label
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = format('%s holds rows of it, and so does %s.', live, source),
        hint = 'Archive the rest of the month first, then restore the whole.';
  end if;
  if to_regclass(format('%I.%I', current_schema(), live_name)) is not null then
    raise exception 'the name % is taken', live_name
      using
        errcode = 'duplicate_table',
        detail = format('Month %s would get this name in messages.', label),
        hint = 'Rename or drop the relation that has the name.';
  end if;

  -- ATTACH merges the partition's foreign keys into those of messages and drops the triggers that kept them, so what
  -- they point to is needed in ACCESS EXCLUSIVE mode too, for a few milliseconds.
  select b.partition
  into default_partition
  from message_partition_bounds() b
  where b.is_default
    and b.parent = 'messages'::regclass;
  exclusive_tables := array_remove(
    reference_tables || array['messages_archive'::regclass, 'messages'::regclass] || default_partition || source,
    null
  );
  perform lock_message_tables(
    exclusive_tables,
    array_fill('access exclusive'::text, array[cardinality(exclusive_tables)])
  );

  execute format('alter table messages_archive detach partition %s', source);
  if default_partition is not null then
    -- Rows that were written for the month while it was archived.
    perform settle_message_checks(source);
    execute format(
      'insert into %1$s (%2$s) select %2$s from only %3$s where created_at >= $1 and created_at < $2',
      source, column_list, default_partition
    )
    using lower_bound, upper_bound;
    moved := delete_moved_messages(default_partition, lower_bound, upper_bound);
  end if;
  execute format('alter table %s rename to %I', source, live_name);
  execute format(
    'alter table messages attach partition %s for values from (%L) to (%L)',
    source, lower_bound, upper_bound
  );
  return live_name;
end
$$;

drop function record_archived_month(date, text, text, bigint, boolean, timestamptz, timestamptz);

comment on column archive_journal.tool_version is 'Version of aisec.';

create function make_message_partitions(months date[])
  returns table (month date, partition_name text, created boolean, rows_moved bigint, problem text)
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set lock_timeout to '100ms'
  set jit to off
  set work_mem to '64MB'
as $$
#variable_conflict use_column
declare
  default_partition regclass;
  column_list constant text := message_column_list();
  lower_bound timestamptz;
  upper_bound timestamptz;
  missing date[];
  names text[];
  made regclass[] := array_fill(null::regclass, array[cardinality(months)]);
  attached boolean[] := array_fill(false, array[cardinality(months)]);
  moved bigint[] := array_fill(0::bigint, array[cardinality(months)]);
  problems text[];
  -- The row versions copied before the locks, to find out under the locks which have changed since.
  copied_tuples tid[] := '{}';
  copied_versions xid[] := '{}';
  copied_ids uuid[] := '{}';
  new_tuples tid[];
  new_versions xid[];
  new_ids uuid[];
  may_hide_rows boolean := false;
  error_message text;
  error_detail text;
  error_hint text;
begin
  -- Twice: without any lock first, since usually nothing is missing; and again when no other run can interfere.
  for pass in 1..2 loop
    with bounds as materialized (
      select b.parent, b.partition, b.lower_bound, b.upper_bound
      from message_partition_bounds() b
      where not b.is_default
    )
    select
      array_agg(c.name order by w.position),
      array_agg(c.problem order by w.position),
      coalesce(array_agg(w.month order by w.position) filter (where c.name is null), '{}')
    into names, problems, missing
    from (
      select
        m.month,
        m.position,
        message_month_start(m.month) as lower_bound,
        message_month_start(m.month) + interval '1 month' as upper_bound
      from unnest(months) with ordinality as m(month, position)
    ) w
    left join lateral (
      select
        (select r.relname::text from pg_class r where r.oid = b.partition) as name,
        case
          when b.parent = 'messages'::regclass and (b.lower_bound > w.lower_bound or b.upper_bound < w.upper_bound)
            then format('partition %s covers a part of the month', b.partition)
        end as problem
      from bounds b
      where b.lower_bound < w.upper_bound
        and b.upper_bound > w.lower_bound
      -- A month in the archive is not made again: late rows for it wait in the default partition.
      order by b.parent = 'messages'::regclass desc, b.lower_bound
      limit 1
    ) c on true;
    exit when pass = 2 or missing = '{}';

    begin
      select b.partition
      into default_partition
      from message_partition_bounds() b
      where b.is_default
        and b.parent = 'messages'::regclass;
      perform lock_message_maintenance(
        array_remove(array['messages'::regclass] || message_reference_tables() || default_partition, null)
      );
    exception
      when lock_not_available then
        get stacked diagnostics
          error_message = message_text,
          error_detail = pg_exception_detail,
          error_hint = pg_exception_hint;
        for position in 1..cardinality(months) loop
          if months[position] = any (missing) then
            problems[position] := concat_ws('; ', error_message, rtrim(error_detail, '.'), rtrim(error_hint, '.'));
          end if;
        end loop;
        missing := '{}';
        exit;
    end;
  end loop;

  <<change>>
  begin
    for position in 1..cardinality(months) loop
      continue when not months[position] = any (missing);
      lower_bound := message_month_start(months[position]);
      upper_bound := lower_bound + interval '1 month';
      names[position] := message_partition_name('messages'::regclass, months[position]);
      begin
        made[position] := create_message_month('messages'::regclass, months[position]);
        -- Whoever writes to the current month or an earlier one now may be writing to the default partition.
        if lower_bound <= now() then
          may_hide_rows := true;
        end if;
        if default_partition is not null then
          -- Copied without a lock that stops anyone; what changes meanwhile is mended under the locks.
          execute format(
            'with source as materialized (
               select ctid as tuple, xmin as version, %2$s from only %1$s where created_at >= $1 and created_at < $2
             ), copy as (
               insert into %3$s (%2$s) select %2$s from source
             )
             select array_agg(tuple), array_agg(version), array_agg(id) from source',
            default_partition, column_list, made[position]
          )
          into new_tuples, new_versions, new_ids
          using lower_bound, upper_bound;
          if new_tuples is not null then
            may_hide_rows := true;
            copied_tuples := copied_tuples || new_tuples;
            copied_versions := copied_versions || new_versions;
            copied_ids := copied_ids || new_ids;
          end if;
        end if;
      exception
        when duplicate_table then
          made[position] := null;
          problems[position] := format(
            'the name %I is taken by something that is not a partition of messages; rename or drop that',
            names[position]
          );
        when others then
          made[position] := null;
          problems[position] := sqlerrm;
      end;
    end loop;

    if array_remove(made, null) = '{}' then
      exit change;
    end if;

    perform lock_message_tables(
      array_remove(message_reference_tables() || 'messages'::regclass || default_partition, null),
      array_fill('share row exclusive'::text, array[cardinality(message_reference_tables())])
        || case when may_hide_rows then 'access exclusive' else 'share update exclusive' end
        || 'access exclusive'::text
    );

    for position in 1..cardinality(months) loop
      continue when made[position] is null;
      lower_bound := message_month_start(months[position]);
      upper_bound := lower_bound + interval '1 month';
      begin
        if default_partition is not null then
          if copied_ids <> '{}' then
            execute format(
              'delete from only %2$s n
               using unnest($1, $2, $3) as c(tuple, version, id)
               where n.id = c.id
                 and not exists (select from only %1$s d where d.ctid = c.tuple and d.xmin = c.version)',
              default_partition, made[position]
            )
            using copied_tuples, copied_versions, copied_ids;
          end if;
          execute format(
            'insert into %3$s (%2$s)
             select %2$s
             from only %1$s d
             where d.created_at >= $4
               and d.created_at < $5
               and not exists (
                 select
                 from unnest($1, $2, $3) as c(tuple, version, id)
                 where c.tuple = d.ctid
                   and c.version = d.xmin
               )',
            default_partition, column_list, made[position]
          )
          using copied_tuples, copied_versions, copied_ids, lower_bound, upper_bound;
          moved[position] := delete_moved_messages(default_partition, lower_bound, upper_bound);
          if moved[position] > 0 and not may_hide_rows then
            raise exception 'rows of the month arrived in % at this moment; run again', default_partition;
          end if;
        end if;
        execute format(
          'alter table messages attach partition %s for values from (%L) to (%L)',
          made[position], lower_bound, upper_bound
        );
        attached[position] := true;
      exception
        when others then
          problems[position] := sqlerrm;
          moved[position] := 0;
          execute format('drop table %s', made[position]);
      end;
    end loop;
  exception
    when lock_not_available then
      get stacked diagnostics
          error_message = message_text,
          error_detail = pg_exception_detail,
          error_hint = pg_exception_hint;
      for position in 1..cardinality(months) loop
        if made[position] is not null then
          problems[position] := concat_ws('; ', error_message, rtrim(error_detail, '.'), rtrim(error_hint, '.'));
          moved[position] := 0;
          attached[position] := false;
        end if;
      end loop;
  end;

  return query
  select w.month, w.partition_name, w.created, w.rows_moved, w.problem
  from unnest(months, names, attached, moved, problems) as w(month, partition_name, created, rows_moved, problem);
end
$$;

comment on function make_message_partitions(date[]) is
  'Makes the partitions of messages for the months that no partition covers, and moves their rows out of the '
  'default partition.';

create function ensure_message_partition(for_month date)
  returns table (month date, partition_name text, created boolean, rows_moved bigint, problem text)
  language plpgsql
  volatile
  set search_path from current
as $$
begin
  if for_month is null or not isfinite(for_month) then
    raise exception 'for_month must be a finite date'
      using errcode = 'invalid_parameter_value';
  end if;
  return query select * from make_message_partitions(array[date_trunc('month', for_month::timestamp)::date]);
end
$$;

comment on function ensure_message_partition(date) is
  'Makes the partition of messages for the month of a date unless one covers it; one row, with the reason in '
  'problem when it could not.';

create function ensure_message_partitions(ahead integer default 3, from_month date default null)
  returns table (month date, partition_name text, created boolean, rows_moved bigint, problem text)
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  current_month constant date := date_trunc('month', now() at time zone 'UTC')::date;
  first_month date;
  month_count numeric;
begin
  if ahead is null or ahead < 0 or ahead > 120 then
    raise exception 'ahead must be between 0 and 120 months'
      using
        errcode = 'invalid_parameter_value',
        detail = format('It is %s.', coalesce(ahead::text, 'null'));
  end if;
  if from_month is not null and not isfinite(from_month) then
    raise exception 'from_month must be a finite date'
      using errcode = 'invalid_parameter_value';
  end if;
  first_month := coalesce(date_trunc('month', from_month::timestamp)::date, current_month);
  if first_month > current_month then
    raise exception 'from_month must not lie in the future'
      using
        errcode = 'invalid_parameter_value',
        detail = format('It is %s; the current month in UTC is %s.', from_month, to_char(current_month, 'YYYY-MM')),
        hint = 'Use ahead for the months to come.';
  end if;
  month_count := (extract(year from current_month) - extract(year from first_month)) * 12
    + extract(month from current_month) - extract(month from first_month) + ahead + 1;
  if month_count > 1200 then
    raise exception 'from_month lies too far in the past'
      using
        errcode = 'invalid_parameter_value',
        detail = format('It would take %s partitions; at most 1200 are made.', month_count),
        hint = 'Give a later month.';
  end if;
  return query
  select *
  from make_message_partitions(
    array(
      select (first_month + make_interval(months => n))::date
      from generate_series(0, month_count::integer - 1) n
      order by n
    )
  );
end
$$;

comment on function ensure_message_partitions(integer, date) is
  'Makes the monthly partitions of messages from from_month (default: the current month in UTC) to the given number '
  'of months ahead; one row a month, with the reason in problem when it could not.';

revoke execute on function
  make_message_partitions(date[]),
  ensure_message_partition(date),
  ensure_message_partitions(integer, date)
from public;

drop function swap_default_message_partition(regclass, date);
drop function default_month_to_swap(regclass, date[]);

create or replace function create_message_month(root regclass, month date)
  returns regclass
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
as $$
declare
  lower_bound constant timestamptz := message_month_start(month);
  upper_bound constant timestamptz := lower_bound + interval '1 month';
  name constant text := message_partition_name(root, month);
  parent record;
  made regclass;
  grantee record;
begin
  select pg_get_userbyid(c.relowner) as owner, c.relreplident as replica_identity
  into strict parent
  from pg_class c
  where c.oid = root;

  execute format('create table %I (like %s including all excluding comments)', name, root);
  made := format('%I.%I', current_schema(), name)::regclass;

  -- Validated while the table is empty: no later attach, to messages or to messages_archive, has to scan it.
  execute format(
    'alter table %s
       add constraint message_month_bounds check (created_at >= %L::timestamptz and created_at < %L::timestamptz)',
    made, lower_bound, upper_bound
  );
  execute format('alter table %s enable row level security', made);
  if parent.replica_identity = 'f' then
    execute format('alter table %s replica identity full', made);
  elsif parent.replica_identity = 'n' then
    execute format('alter table %s replica identity nothing', made);
  end if;

  -- ALTER DEFAULT PRIVILEGES may have granted something; a partition is reached through messages only.
  for grantee in
    select distinct a.grantee
    from pg_class c
    cross join lateral aclexplode(c.relacl) a
    where c.oid = made
      and a.grantee <> c.relowner
  loop
    execute format(
      'revoke all on table %s from %s',
      made,
      case when grantee.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee.grantee)) end
    );
  end loop;
  if parent.owner <> current_user then
    execute format('alter table %s owner to %I', made, parent.owner);
  end if;
  return made;
end
$$;

create or replace function lock_message_tables(relations regclass[], modes text[])
  returns void
  language plpgsql
  volatile
  set search_path from current
  set lock_timeout to '100ms'
as $$
declare
  attempts constant integer := 30;
  -- For all the locks together: no statement of a writer waits longer for one attempt. Well below deadlock_timeout.
  budget_ms constant numeric := (
    select least(100, s.setting::numeric * 0.4) from pg_settings s where s.name = 'deadlock_timeout'
  );
  started timestamptz;
  remaining_ms numeric;
  relation regclass;
  mode text;
  holders text;
begin
  for attempt in 1..attempts loop
    begin
      started := clock_timestamp();
      for position in 1..cardinality(relations) loop
        relation := relations[position];
        mode := modes[position];
        remaining_ms := budget_ms - extract(epoch from clock_timestamp() - started) * 1000;
        perform set_config('lock_timeout', ceil(greatest(1, remaining_ms))::text, true);
        execute format('lock table only %s in %s mode', relation, mode);
      end loop;
      return;
    exception
      when lock_not_available or deadlock_detected then
        holders := describe_lock_holders(relation, mode);
    end;
    -- Jitter, and longer pauses after more failures, let the queue behind each attempt drain.
    if attempt < attempts then
      perform pg_sleep(0.05 + random() * 0.01 * attempt);
    end if;
  end loop;
  raise exception 'could not lock % in time', relation
    using
      errcode = 'lock_not_available',
      detail = format('Tried %s times; at the last one %s.', attempts, coalesce(holders, 'the holder had gone')),
      hint = 'Nothing was changed. End the transaction that holds the table, or run again when it is quieter.';
end
$$;

create or replace function lock_message_maintenance(relations regclass[])
  returns void
  language plpgsql
  volatile
  set search_path from current
  set lock_timeout to '100ms'
as $$
declare
  relation regclass;
  holders text;
begin
  -- A worker of autovacuum gives way only to a session that waited for deadlock_timeout. SHARE UPDATE EXCLUSIVE stops
  -- no reader and no writer while it waits or is held, so it can afford that wait; it also keeps a second run out.
  perform set_config(
    'lock_timeout',
    (select s.setting::bigint + 4000 from pg_settings s where s.name = 'deadlock_timeout')::text,
    true
  );
  foreach relation in array relations loop
    begin
      execute format('lock table only %s in share update exclusive mode', relation);
    exception
      when lock_not_available or deadlock_detected then
        holders := describe_lock_holders(relation, 'share update exclusive');
        raise exception 'another session is maintaining %', relation
          using
            errcode = 'lock_not_available',
            detail = coalesce('Now ' || holders || '.', 'Its lock has been released since.'),
            hint = 'Wait until the other partition run, VACUUM or CREATE INDEX has ended, then run again.';
    end;
  end loop;
end
$$;

drop function protect_message_partition(regclass, regclass);
drop function message_lock_time_left_ms();
