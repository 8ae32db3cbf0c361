-- The months of messages, made ahead of time.
--
-- A writer fixes its list of partitions before it waits for the default partition, and an ATTACH that ran meanwhile makes
-- its insert fail. So the current month and earlier ones are attached under ACCESS EXCLUSIVE on messages.
--
-- No function moves rows out of the default partition: that takes several transactions (aisec partitions ensure).

-- Up Migration

create function aisec_message_month_start(month date)
  returns timestamptz
  language sql
  immutable
  set search_path from current
as $$
  select date_trunc('month', month::timestamp) at time zone 'UTC'
$$;

create function aisec_message_partition_name(root regclass, month date)
  returns text
  language sql
  stable
  set search_path from current
as $$
  select c.relname || to_char(month, '"_y"YYYY"m"MM')
  from pg_class c
  where c.oid = root
$$;

create function aisec_message_columns()
  returns text
  language sql
  stable
  set search_path from current
as $$
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
  from pg_attribute a
  where a.attrelid = 'messages'::regclass
    and a.attnum > 0
    and not a.attisdropped
    and a.attgenerated = ''
$$;

create function aisec_settle_message_checks(partition regclass)
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  constraint_list text;
begin
  select string_agg(distinct format('%I.%I', n.nspname, c.conname), ', ')
  into constraint_list
  from pg_constraint c
  join pg_namespace n on n.oid = c.connamespace
  where c.conrelid = partition
    and c.contype = 'f'
    and c.condeferrable;
  if constraint_list is not null then
    execute format('set constraints %s immediate', constraint_list);
  end if;
end
$$;

create function aisec_protect_message_partition(root regclass, partition regclass)
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  parent record;
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
  -- A partition is reached through its root only.
  perform aisec_revoke_all(partition);
  perform aisec_watch_messages(partition);
  if parent.owner <> current_user then
    execute format('alter table %s owner to %I', partition, parent.owner);
  end if;
end
$$;

create function aisec_create_message_month(root regclass, month date)
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
begin
  execute format('create table %I (like %s including all excluding comments)', name, root);
  made := format('%I.%I', current_schema(), name)::regclass;

  -- Validated while the table is empty: no later attach, to messages or to messages_archive, has to scan it.
  execute format(
    'alter table %s
       add constraint message_month_bounds check (created_at >= %L::timestamptz and created_at < %L::timestamptz)',
    made, lower_bound, upper_bound
  );
  perform aisec_protect_message_partition(root, made);
  return made;
end
$$;

create function aisec_make_message_partitions(months date[])
  returns table (month date, partition_name text, created boolean, problem text, problem_code text)
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set lock_timeout to '100ms'
as $$
#variable_conflict use_column
declare
  default_partition regclass;
  reference_tables regclass[];
  missing date[];
  names text[];
  made regclass[] := array_fill(null::regclass, array[cardinality(months)]);
  attached boolean[] := array_fill(false, array[cardinality(months)]);
  problems text[];
  codes text[] := array_fill(null::text, array[cardinality(months)]);
  has_begun_month boolean := false;
  error_message text;
  error_detail text;
  error_hint text;
begin
  -- Twice: without any lock first, since usually nothing is missing; and again when no other run can interfere.
  for pass in 1..2 loop
    with bounds as materialized (
      select b.parent, b.partition, b.lower_bound, b.upper_bound
      from aisec_message_partition_bounds() b
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
        aisec_message_month_start(m.month) as lower_bound,
        aisec_message_month_start(m.month) + interval '1 month' as upper_bound
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

    perform aisec_begin_message_maintenance();
    default_partition := aisec_message_default_partition();
    reference_tables := aisec_message_reference_tables();
    begin
      perform aisec_lock_maintenance(array_remove(array['messages'::regclass] || reference_tables || default_partition, null));
    exception
      when lock_not_available then
        get stacked diagnostics
          error_message = message_text,
          error_detail = pg_exception_detail,
          error_hint = pg_exception_hint;
        for position in 1..cardinality(months) loop
          if months[position] = any (missing) then
            problems[position] := concat_ws('; ', error_message, rtrim(error_detail, '.'), rtrim(error_hint, '.'));
            codes[position] := '55P03';
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
      names[position] := aisec_message_partition_name('messages'::regclass, months[position]);
      begin
        made[position] := aisec_create_message_month('messages'::regclass, months[position]);
        has_begun_month := has_begun_month or aisec_message_month_start(months[position]) <= now();
      exception
        when duplicate_table then
          made[position] := null;
          codes[position] := sqlstate;
          problems[position] := format(
            'the name %I is in use by a relation that is not a partition of messages; rename or drop it',
            names[position]
          );
        when others then
          made[position] := null;
          codes[position] := sqlstate;
          problems[position] := sqlerrm;
      end;
    end loop;
    if array_remove(made, null) = '{}' then
      exit change;
    end if;

    perform aisec_lock_tables(
      array_remove(reference_tables || 'messages'::regclass || default_partition, null),
      array_fill('share row exclusive'::text, array[cardinality(reference_tables)])
        || case when has_begun_month then 'access exclusive' else 'share update exclusive' end
        || 'access exclusive'::text
    );
    for position in 1..cardinality(months) loop
      continue when made[position] is null;
      begin
        execute format(
          'alter table messages attach partition %s for values from (%L) to (%L)',
          made[position],
          aisec_message_month_start(months[position]),
          aisec_message_month_start(months[position]) + interval '1 month'
        );
        attached[position] := true;
      exception
        when others then
          codes[position] := case sqlstate when '23514' then '55000' else sqlstate end;
          problems[position] := case sqlstate
            when '23514' then format('%s holds messages of the month; run: aisec partitions ensure', default_partition)
            else sqlerrm
          end;
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
          codes[position] := '55P03';
          attached[position] := false;
        end if;
      end loop;
  end;

  return query
  select w.month, w.partition_name, w.created, w.problem, w.problem_code
  from unnest(months, names, attached, problems, codes) as w(month, partition_name, created, problem, problem_code);
end
$$;

create function ensure_message_partitions(ahead integer default 3, from_month date default null)
  returns table (month date, partition_name text, created boolean, problem text, problem_code text)
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
    raise exception 'invalid ahead "%", expected 0 to 120 months', coalesce(ahead::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if from_month is not null and not isfinite(from_month) then
    raise exception 'invalid from_month "%", expected a finite date', from_month
      using errcode = 'invalid_parameter_value';
  end if;
  first_month := coalesce(date_trunc('month', from_month::timestamp)::date, current_month);
  if first_month > current_month then
    raise exception 'invalid from_month "%", expected a date that is not in the future', from_month
      using
        errcode = 'invalid_parameter_value',
        detail = format('The current month in UTC is %s.', to_char(current_month, 'YYYY-MM')),
        hint = 'Use ahead for the months to come.';
  end if;
  month_count := (extract(year from current_month) - extract(year from first_month)) * 12
    + extract(month from current_month) - extract(month from first_month) + ahead + 1;
  if month_count > 1200 then
    raise exception 'invalid from_month "%", expected a date within 1200 months', from_month
      using
        errcode = 'invalid_parameter_value',
        detail = format('It would take %s partitions.', month_count),
        hint = 'Give a later month.';
  end if;
  return query
  select *
  from aisec_make_message_partitions(
    array(
      select (first_month + make_interval(months => n))::date
      from generate_series(0, month_count::integer - 1) n
      order by n
    )
  );
end
$$;

comment on function aisec_message_month_start(date) is
  'Internal. The first instant of the calendar month of a date, in UTC, whatever the time zone of the session.';
comment on function aisec_message_partition_name(regclass, date) is
  'Internal. The name that a partition of messages or messages_archive for a month is given; only its bounds tell '
  'whether a month exists.';
comment on function aisec_message_columns() is
  'Internal. The columns of messages as a list for INSERT and SELECT; the order in a partition may differ, so * is never '
  'used.';
comment on function aisec_settle_message_checks(regclass) is
  'Internal. Runs the foreign key checks of a partition that the transaction has deferred: a table with checks still '
  'waiting cannot be altered.';
comment on function aisec_protect_message_partition(regclass, regclass) is
  'Internal. Gives a new partition of messages or messages_archive row-level security, the replica identity and the owner '
  'of its root, the triggers that keep message_keys, and no privileges for other roles.';
comment on function aisec_create_message_month(regclass, date) is
  'Internal. Makes the table of one month for messages or messages_archive, not yet attached: same columns, indexes and '
  'checks, bounds as a CHECK, row-level security, no grants.';
comment on function aisec_make_message_partitions(date[]) is
  'Internal. Makes the partitions of messages for the months that no partition covers. problem_code is the SQLSTATE of a '
  'problem: 55P03 and 40001 pass by themselves; 55000: the default partition holds messages of the month, or a partition '
  'covers a part of it.';
comment on function ensure_message_partitions(integer, date) is
  'Makes the monthly partitions of messages from from_month (default: the current month in UTC) to the given number '
  'of months ahead; one row a month, with the reason in problem, and its SQLSTATE in problem_code, when it could not.';

do $$
begin
  perform aisec_revoke_execute(
    'aisec_message_columns()',
    'aisec_message_partition_name(regclass, date)',
    'aisec_message_month_start(date)',
    'aisec_settle_message_checks(regclass)',
    'aisec_protect_message_partition(regclass, regclass)',
    'aisec_create_message_month(regclass, date)',
    'aisec_make_message_partitions(date[])',
    'ensure_message_partitions(integer, date)'
  );
end
$$;

-- Down Migration

drop function
  ensure_message_partitions(integer, date),
  aisec_make_message_partitions(date[]),
  aisec_create_message_month(regclass, date),
  aisec_protect_message_partition(regclass, regclass),
  aisec_settle_message_checks(regclass),
  aisec_message_month_start(date),
  aisec_message_partition_name(regclass, date),
  aisec_message_columns();
