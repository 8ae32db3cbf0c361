-- Months between messages and messages_archive: detached from the one and attached to the other in one short change.
--
-- No row is read or written, so the time does not depend on the size of the month. A plain DETACH is used: DETACH
-- CONCURRENTLY is two transactions, and a run that is killed between them leaves the month in neither table.

-- Up Migration

create function finished_message_month(month date)
  returns date
  language plpgsql
  stable
  set search_path from current
  set timezone to 'UTC'
as $$
declare
  first_day date;
begin
  if month is null or not isfinite(month) then
    raise exception 'month must be a finite date'
      using errcode = 'invalid_parameter_value';
  end if;
  first_day := date_trunc('month', month::timestamp)::date;
  if message_month_start(first_day) + interval '1 month' > now() then
    raise exception 'month % is not over yet', to_char(first_day, 'YYYY-MM')
      using
        errcode = 'invalid_parameter_value',
        detail = 'Only months that have ended in UTC are archived.';
  end if;
  return first_day;
end
$$;

comment on function finished_message_month(date) is
  'The first day of the month of a date; refuses null, infinity and a month that has not ended in UTC.';

create function find_message_partition(root regclass, month date)
  returns regclass
  language sql
  stable
  set search_path from current
  set timezone to 'UTC'
as $$
  select b.partition
  from message_partition_bounds() b
  where b.parent = root
    and b.lower_bound = message_month_start(month)
    and b.upper_bound = message_month_start(month) + interval '1 month'
$$;

comment on function find_message_partition(regclass, date) is
  'The partition of messages or messages_archive that holds exactly the month of a date; null when there is none.';

create function overlapping_message_partitions(root regclass, month date)
  returns text
  language sql
  stable
  set search_path from current
  set timezone to 'UTC'
as $$
  select string_agg(b.partition::text, ', ' order by b.lower_bound)
  from message_partition_bounds() b
  where b.parent = root
    and b.lower_bound < message_month_start(month) + interval '1 month'
    and b.upper_bound > message_month_start(month)
$$;

comment on function overlapping_message_partitions(regclass, date) is
  'The partitions of messages or messages_archive that hold any of the month of a date, as a list; null when there '
  'is none.';

create function message_maintenance_tables()
  returns regclass[]
  language sql
  stable
  set search_path from current
as $$
  select array_remove(
    array['messages'::regclass, 'messages_archive'::regclass]
      || message_reference_tables()
      || (select b.partition from message_partition_bounds() b where b.is_default and b.parent = 'messages'::regclass),
    null
  )
$$;

comment on function message_maintenance_tables() is
  'The tables that a move between messages and messages_archive locks, beside the partition itself.';

create function lock_messages_to_archive(partitions regclass[])
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  reference_tables constant regclass[] := message_reference_tables();
  exclusive_tables constant regclass[] := array_remove(
    array['messages'::regclass]
      || (
        select b.partition
        from message_partition_bounds() b
        where b.is_default
          and b.parent = 'messages'::regclass
      )
      || partitions,
    null
  );
begin
  -- DETACH makes the inherited foreign keys the partition's own: SHARE ROW EXCLUSIVE on what they point to. The
  -- archive's root has no foreign keys to merge them with, so ATTACH needs nothing stronger there. ACCESS EXCLUSIVE on
  -- the archive is for readers: a repeatable-read transaction that has found it empty would not find the month in
  -- messages any more, so such a reader holds the move off.
  perform lock_message_tables(
    array['messages_archive'::regclass] || reference_tables || exclusive_tables,
    array['access exclusive'::text]
      || array_fill('share row exclusive'::text, array[cardinality(reference_tables)])
      || array_fill('access exclusive'::text, array[cardinality(exclusive_tables)])
  );
end
$$;

comment on function lock_messages_to_archive(regclass[]) is
  'Takes every lock that moving partitions from messages to messages_archive needs, in its final mode.';

create function swap_message_partition_to_archive(source regclass, month date)
  returns text
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set lock_timeout to '100ms'
as $$
declare
  archived_name constant text := message_partition_name('messages_archive'::regclass, month);
begin
  if to_regclass(format('%I.%I', current_schema(), archived_name)) is not null then
    raise exception 'the name % is taken', archived_name
      using
        errcode = 'duplicate_table',
        detail = format('Month %s would get this name in the archive.', to_char(month, 'YYYY-MM')),
        hint = 'Rename or drop the relation that has the name.';
  end if;
  execute format('alter table messages detach partition %s', source);
  execute format('alter table %s rename to %I', source, archived_name);
  execute format(
    'alter table messages_archive attach partition %s for values from (%L) to (%L)',
    source, message_month_start(month), message_month_start(month) + interval '1 month'
  );
  return archived_name;
end
$$;

comment on function swap_message_partition_to_archive(regclass, date) is
  'Detaches the partition of one month from messages, renames it and attaches it to messages_archive; the caller '
  'holds the locks. Returns its new name.';

create function archive_message_partition(month date)
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
  label constant text := to_char(first_day, 'YYYY-MM');
  source regclass := find_message_partition('messages'::regclass, first_day);
  archived text;
  has_rows boolean;
begin
  if source is not null then
    perform lock_message_maintenance(message_maintenance_tables() || source);
    -- Another run may have moved it before the locks were had.
    source := find_message_partition('messages'::regclass, first_day);
  end if;
  archived := overlapping_message_partitions('messages_archive'::regclass, first_day);
  if source is null and archived is not null then
    raise exception 'month % is in the archive already', label
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = format('It is in %s.', archived);
  end if;
  if source is null then
    raise exception 'messages has no partition for month %', label
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = format(
          'Partitions that hold any of it: %s.',
          coalesce(overlapping_message_partitions('messages'::regclass, first_day), 'none')
        ),
        hint = format('ensure_message_partition(%L) makes it, unless one with other bounds is in the way.', first_day);
  end if;

  perform lock_messages_to_archive(array[source]);

  if archived is not null then
    execute format('select exists (select from only %s)', source) into has_rows;
    if has_rows then
      raise exception 'month % is partly archived already', label
        using
          errcode = 'object_not_in_prerequisite_state',
          detail = format('%s holds rows of it, and so does %s.', archived, source),
          hint = 'move_messages_to_archive moves the remaining rows.';
    end if;
    execute format('alter table messages detach partition %s', source);
    execute format('drop table %s', source);
    return archived;
  end if;

  return swap_message_partition_to_archive(source, first_day);
end
$$;

comment on function archive_message_partition(date) is
  'Moves the partition of one finished month from messages to messages_archive without touching its rows; returns '
  'its new name. The locks last until the transaction ends, so end it at once.';

create function restore_message_partition(month date)
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

comment on function restore_message_partition(date) is
  'Moves the partition of one month from messages_archive back to messages, together with rows of that month in the '
  'default partition; returns its name. End the transaction at once.';

create function ensure_archive_partition(month date)
  returns text
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set lock_timeout to '100ms'
as $$
declare
  first_day constant date := date_trunc('month', month::timestamp)::date;
  lower_bound constant timestamptz := message_month_start(first_day);
  upper_bound constant timestamptz := lower_bound + interval '1 month';
  reference_tables constant regclass[] := message_reference_tables();
  made regclass;
  foreign_key record;
begin
  made := find_message_partition('messages_archive'::regclass, first_day);
  if made is null then
    perform lock_message_maintenance(array['messages'::regclass, 'messages_archive'::regclass] || reference_tables);
    made := find_message_partition('messages_archive'::regclass, first_day);
  end if;
  if made is not null then
    return (select c.relname from pg_class c where c.oid = made);
  end if;

  made := create_message_month('messages_archive'::regclass, first_day);
  perform lock_message_tables(
    reference_tables,
    array_fill('share row exclusive'::text, array[cardinality(reference_tables)])
  );
  -- The foreign keys of messages stand on the partitions of the archive, as on those that were moved there.
  for foreign_key in
    select c.conname as name, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c
    where c.conrelid = 'messages'::regclass
      and c.contype = 'f'
      and c.conparentid = 0
  loop
    execute format('alter table %s add constraint %I %s', made, foreign_key.name, foreign_key.definition);
  end loop;
  execute format(
    'alter table messages_archive attach partition %s for values from (%L) to (%L)',
    made, lower_bound, upper_bound
  );
  return (select c.relname from pg_class c where c.oid = made);
end
$$;

comment on function ensure_archive_partition(date) is
  'Makes an empty partition of messages_archive for the month of a date unless there is one; returns its name. '
  'Whole months never need it: they bring their own table along.';

create function move_messages_to_archive(
  month date,
  before timestamptz default 'infinity',
  max_rows bigint default 5000
)
  returns bigint
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
as $$
declare
  lower_bound constant timestamptz := message_month_start(month);
  upper_bound constant timestamptz := least(lower_bound + interval '1 month', before);
  moved bigint;
begin
  if month is null or not isfinite(month) or before is null or max_rows is null or max_rows < 1 then
    raise exception 'month must be a finite date, before a time and max_rows at least 1'
      using errcode = 'invalid_parameter_value';
  end if;
  perform ensure_archive_partition(month);
  -- One statement, so that the delete trigger finds each row in the archive and keeps its key.
  execute format(
    'with chosen as materialized (
       select id, created_at
       from messages
       where created_at >= $1 and created_at < $2
       order by created_at
       limit $3
       for update skip locked
     ), gone as (
       delete from messages m
       using chosen c
       where m.id = c.id and m.created_at = c.created_at
         and m.created_at >= $1 and m.created_at < $2
       returning m.*
     )
     insert into messages_archive (%1$s) select %1$s from gone',
    message_column_list()
  )
  using lower_bound, upper_bound, max_rows;
  get diagnostics moved = row_count;
  return moved;
end
$$;

comment on function move_messages_to_archive(date, timestamptz, bigint) is
  'Moves up to max_rows rows of one month that are older than a time, one by one, to messages_archive; rows that '
  'another session has locked are left for the next call. Returns how many were moved.';

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

comment on function archive_old_messages(interval) is
  'Moves the months of messages that are wholly older than the retention to messages_archive, the oldest 24 in one '
  'call, and returns how many messages that were, counted before the move. Its locks last until the transaction '
  'ends, so call it alone.';

revoke execute on function
  finished_message_month(date),
  find_message_partition(regclass, date),
  overlapping_message_partitions(regclass, date),
  message_maintenance_tables(),
  lock_messages_to_archive(regclass[]),
  swap_message_partition_to_archive(regclass, date),
  archive_message_partition(date),
  restore_message_partition(date),
  ensure_archive_partition(date),
  move_messages_to_archive(date, timestamptz, bigint),
  archive_old_messages(interval)
from public;

-- Down Migration

drop function archive_old_messages(interval);
drop function move_messages_to_archive(date, timestamptz, bigint);
drop function ensure_archive_partition(date);
drop function restore_message_partition(date);
drop function archive_message_partition(date);
drop function swap_message_partition_to_archive(regclass, date);
drop function lock_messages_to_archive(regclass[]);
drop function message_maintenance_tables();
drop function overlapping_message_partitions(regclass, date);
drop function find_message_partition(regclass, date);
drop function finished_message_month(date);
