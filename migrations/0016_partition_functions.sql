-- The months of messages: made ahead of time, filled from messages_default when a month was missed.
--
-- Three rules of PostgreSQL shape every function here:
--   * A lock taken in a plpgsql exception block is given back when the block fails. So the strong locks are all taken
--     in one such block, each in its final mode, under a lock_timeout below deadlock_timeout: the functions give way
--     first, and no application is chosen as the victim of a deadlock.
--   * An ATTACH that runs beside readers with only SHARE UPDATE EXCLUSIVE on the parent may hide rows that leave the
--     default partition: a reader fixes its list of partitions before it waits for the default partition. So months
--     that have, or may be getting, rows there are attached under ACCESS EXCLUSIVE on messages.
--   * pg_get_expr prints bounds in the time zone of the session. So every function that reads or writes bounds
--     pins UTC.

-- Up Migration

create function message_partition_bounds()
  returns table (
    parent regclass,
    partition regclass,
    lower_bound timestamptz,
    upper_bound timestamptz,
    is_default boolean
  )
  language sql
  stable
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
as $$
  select
    p.parent,
    p.partition,
    -- FOR VALUES FROM ('...') TO ('...'), or with MINVALUE or MAXVALUE in the place of a literal
    case
      when p.bound = 'DEFAULT' then null
      when p.bound like '%FROM (MINVALUE)%' then '-infinity'
      else split_part(p.bound, '''', 2)::timestamptz
    end,
    case
      when p.bound = 'DEFAULT' then null
      when p.bound like '%TO (MAXVALUE)%' then 'infinity'
      when p.bound like '%FROM (MINVALUE)%' then split_part(p.bound, '''', 2)::timestamptz
      else split_part(p.bound, '''', 4)::timestamptz
    end,
    p.bound = 'DEFAULT'
  from (
    select
      i.inhparent::regclass as parent,
      i.inhrelid::regclass as partition,
      -- A bound has no columns; given the table, pg_get_expr would wait for whoever has it locked.
      pg_get_expr(c.relpartbound, 0) as bound
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent in ('messages'::regclass, 'messages_archive'::regclass)
    offset 0
  ) p
$$;

comment on function message_partition_bounds() is
  'The partitions of messages and messages_archive with their bounds; both bounds are null for a default partition.';

create function message_month_start(month date)
  returns timestamptz
  language sql
  immutable
  set search_path from current
as $$
  select date_trunc('month', month::timestamp) at time zone 'UTC'
$$;

comment on function message_month_start(date) is
  'The first instant of the calendar month of a date, in UTC, whatever the time zone of the session.';

create function message_partition_name(root regclass, month date)
  returns text
  language sql
  stable
  set search_path from current
as $$
  select c.relname || to_char(month, '"_y"YYYY"m"MM')
  from pg_class c
  where c.oid = root
$$;

comment on function message_partition_name(regclass, date) is
  'The name that a partition of messages or messages_archive for a month is given; whether it exists is told by the '
  'bounds alone.';

create function describe_lock_holders(locked regclass, wanted_mode text)
  returns text
  language sql
  volatile
  set search_path from current
as $$
  select string_agg(
    format(
      '%s%s holds %s%s',
      coalesce('process ' || l.pid, 'a prepared transaction'),
      coalesce(' (' || nullif(a.application_name, '') || ')', ''),
      l.modes,
      coalesce(', ' || a.state || ' for ' || date_trunc('second', clock_timestamp() - a.state_change), '')
    ),
    '; '
    order by a.xact_start, l.pid
  )
  from (
    select k.pid, string_agg(distinct k.mode, ', ' order by k.mode) as modes
    from pg_locks k
    where k.locktype = 'relation'
      and k.database = (select d.oid from pg_database d where d.datname = current_database())
      and k.relation = locked
      and k.granted
      and k.pid is distinct from pg_backend_pid()
      and k.mode <> all (
        case wanted_mode
          when 'access exclusive' then '{}'::text[]
          when 'share row exclusive' then '{AccessShareLock,RowShareLock}'::text[]
          else '{AccessShareLock,RowShareLock,RowExclusiveLock}'::text[]
        end
      )
    group by k.pid
    order by k.pid
    limit 5
  ) l
  left join pg_stat_activity a on a.pid = l.pid
$$;

comment on function describe_lock_holders(regclass, text) is
  'Up to five sessions whose lock on a table stands against a wanted mode, in words; null when there is none.';

create function lock_message_maintenance(relations regclass[])
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

comment on function lock_message_maintenance(regclass[]) is
  'Takes SHARE UPDATE EXCLUSIVE on tables one after the other: keeps vacuum, DDL and a second partition run out, '
  'nobody else.';

create function lock_message_tables(relations regclass[], modes text[])
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

comment on function lock_message_tables(regclass[], text[]) is
  'Takes every lock in its final mode within a tenth of a second, or gives all of them back and tries again, 30 times.';

create function message_reference_tables()
  returns regclass[]
  language sql
  stable
  set search_path from current
as $$
  select coalesce(array_agg(distinct c.confrelid::regclass), array[]::regclass[])
  from pg_constraint c
  where c.conrelid = 'messages'::regclass
    and c.contype = 'f'
    and c.conparentid = 0
$$;

comment on function message_reference_tables() is
  'The tables that foreign keys of messages point to; attaching or detaching a partition locks each of them.';

create function message_column_list()
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

comment on function message_column_list() is
  'The columns of messages as a list for INSERT and SELECT; the order in a partition may differ, so * is never used.';

create function create_message_month(root regclass, month date)
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

comment on function create_message_month(regclass, date) is
  'Makes the table of one month for messages or messages_archive, not yet attached: same columns, indexes and '
  'checks, bounds as a CHECK, row level security, no grants.';

create function settle_message_checks(partition regclass)
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

comment on function settle_message_checks(regclass) is
  'Runs the foreign key checks of a partition that the transaction has deferred: a table with checks still waiting '
  'cannot be altered.';

create function delete_moved_messages(source regclass, lower_bound timestamptz, upper_bound timestamptz)
  returns bigint
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  names text[];
  states "char"[];
  found_rows boolean;
  deleted bigint;
begin
  execute format('select exists (select from only %s where created_at >= $1 and created_at < $2)', source)
  into found_rows
  using lower_bound, upper_bound;
  if not found_rows then
    return 0;
  end if;

  perform settle_message_checks(source);

  -- The rows live on in another table, so their keys must stay in message_keys: the triggers are silent for this one
  -- statement. The caller holds ACCESS EXCLUSIVE on the table, so no delete of another session slips by.
  select array_agg(t.tgname::text), array_agg(t.tgenabled)
  into names, states
  from pg_trigger t
  where t.tgrelid = source
    and not t.tgisinternal
    and t.tgenabled in ('O', 'A');
  for position in 1..coalesce(cardinality(names), 0) loop
    execute format('alter table %s disable trigger %I', source, names[position]);
  end loop;
  execute format('delete from only %s where created_at >= $1 and created_at < $2', source)
  using lower_bound, upper_bound;
  get diagnostics deleted = row_count;
  for position in 1..coalesce(cardinality(names), 0) loop
    execute format(
      'alter table %s enable %s trigger %I',
      source,
      case when states[position] = 'A' then 'always' else '' end,
      names[position]
    );
  end loop;
  return deleted;
end
$$;

comment on function delete_moved_messages(regclass, timestamptz, timestamptz) is
  'Deletes rows that were copied to another partition and keeps their keys; needs ACCESS EXCLUSIVE on the table.';

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
  message_partition_bounds(),
  message_month_start(date),
  message_partition_name(regclass, date),
  describe_lock_holders(regclass, text),
  lock_message_maintenance(regclass[]),
  lock_message_tables(regclass[], text[]),
  message_reference_tables(),
  message_column_list(),
  create_message_month(regclass, date),
  settle_message_checks(regclass),
  delete_moved_messages(regclass, timestamptz, timestamptz),
  make_message_partitions(date[]),
  ensure_message_partition(date),
  ensure_message_partitions(integer, date)
from public;

-- Down Migration

drop function ensure_message_partitions(integer, date);
drop function ensure_message_partition(date);
drop function make_message_partitions(date[]);
drop function delete_moved_messages(regclass, timestamptz, timestamptz);
drop function settle_message_checks(regclass);
drop function create_message_month(regclass, date);
drop function message_column_list();
drop function message_reference_tables();
drop function lock_message_tables(regclass[], text[]);
drop function lock_message_maintenance(regclass[]);
drop function describe_lock_holders(regclass, text);
drop function message_partition_name(regclass, date);
drop function message_month_start(date);
drop function message_partition_bounds();
