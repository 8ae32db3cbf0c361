-- A default partition full of several months is drained without anybody waiting for it.
--
-- Deleting 100,000 rows from messages_default under ACCESS EXCLUSIVE keeps writers waiting for 400 ms, and attaching a
-- table with rows and without foreign keys checks each row against conversations and message_keys under that lock.
-- So aisec partitions ensure drains in four steps, each a short transaction or one without a strong lock:
--   begin_default_drain    a trigger notes the id of every message that changes in the default partition from now on
--   copy_default_month     the rows of each month are copied to a table of their own
--   protect_default_drain  what changed is mended, and the copies get foreign keys, not validated yet;
--                          then validate_default_month, which stops nobody
--   finish_default_drain   what changed is mended once more, the copies are attached, a fresh default partition takes
--                          the place of the old one, which is dropped: no row is deleted
-- A message is in the default partition until the last transaction commits, and in its month from then on. A run that
-- ended in between leaves the trigger and the copies, which abandon_default_drain drops.

-- Up Migration

create function record_default_change()
  returns trigger
  language plpgsql
  security definer
  set search_path from current
as $$
begin
  if tg_op = 'TRUNCATE' then
    insert into message_default_changes (id) values (null);
  else
    insert into message_default_changes (id) values (case when tg_op = 'DELETE' then old.id else new.id end);
  end if;
  return null;
end
$$;

comment on function record_default_change() is
  'Trigger of the default partition while it is drained: notes the id of a message that was written, changed or '
  'deleted; null after a TRUNCATE.';

create function default_message_partition()
  returns regclass
  language sql
  stable
  set search_path from current
as $$
  select b.partition
  from message_partition_bounds() b
  where b.is_default
    and b.parent = 'messages'::regclass
$$;

comment on function default_message_partition() is 'The default partition of messages; null when there is none.';

create function default_drain_copies()
  returns table (month date, copy regclass)
  language sql
  stable
  set search_path from current
as $$
  select to_date(substring(c.relname from '_y(\d{4}m\d{2})_drain$'), 'YYYY"m"MM'), c.oid::regclass
  from pg_class c
  where c.relnamespace = quote_ident(current_schema())::regnamespace
    and c.relkind = 'r'
    and not c.relispartition
    and c.relname ~ '_y\d{4}m\d{2}_drain$'
    and obj_description(c.oid, 'pg_class') = 'Copy of a month of the default partition, made by aisec partitions ensure.'
  order by 1
$$;

comment on function default_drain_copies() is 'The copies of a drain that has not ended, each with its month.';

create function abandon_default_drain()
  returns boolean
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  drained record;
  copies constant regclass[] := array(select d.copy from default_drain_copies() d);
  found_any boolean := copies <> '{}' or to_regclass('message_default_changes') is not null;
begin
  for drained in
    select t.tgrelid::regclass as partition, array_agg(t.tgname::text) as triggers
    from pg_trigger t
    where t.tgfoid = 'record_default_change()'::regprocedure
    group by t.tgrelid
  loop
    found_any := true;
    perform lock_message_tables(array[drained.partition], array['access exclusive']);
    for position in 1..cardinality(drained.triggers) loop
      execute format('drop trigger %I on %s', drained.triggers[position], drained.partition);
    end loop;
  end loop;
  if copies <> '{}' then
    -- Dropping a table with foreign keys drops triggers on what they point to.
    perform lock_message_tables(
      message_reference_tables() || copies,
      array_fill('access exclusive'::text, array[cardinality(message_reference_tables() || copies)])
    );
    for position in 1..cardinality(copies) loop
      execute format('drop table %s', copies[position]);
    end loop;
  end if;
  if to_regclass('message_default_changes') is not null then
    drop table message_default_changes;
  end if;
  return found_any;
end
$$;

comment on function abandon_default_drain() is
  'Drops what a drain of the default partition left when it did not end: its trigger, its notes and its copies. True '
  'when there was something.';

create function begin_default_drain()
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  default_partition constant regclass := default_message_partition();
begin
  perform abandon_default_drain();
  create table message_default_changes (id uuid);
  comment on table message_default_changes is
    'Messages of the default partition that changed while it is drained; gone when that has ended.';
  alter table message_default_changes enable row level security;
  revoke all on message_default_changes from public;

  -- Waits for the transactions that are writing to it: what they wrote is seen by the copies, what comes later is noted.
  perform lock_message_tables(array[default_partition], array['share row exclusive']);
  execute format(
    'create trigger record_default_change
       after insert or update or delete on %s
       for each row
       execute function record_default_change()',
    default_partition
  );
  execute format(
    'create trigger record_default_truncate
       after truncate on %s
       for each statement
       execute function record_default_change()',
    default_partition
  );
end
$$;

comment on function begin_default_drain() is
  'First step of draining the default partition: from its commit on every change in it is noted.';

create function copy_default_month(month date)
  returns bigint
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set jit to off
as $$
declare
  first_day constant date := date_trunc('month', month::timestamp)::date;
  made constant regclass := create_message_month('messages'::regclass, first_day);
  copied bigint;
begin
  execute format('alter table %s rename to %I', made, message_partition_name('messages'::regclass, first_day) || '_drain');
  execute format('comment on table %s is ''Copy of a month of the default partition, made by aisec partitions ensure.''', made);
  execute format(
    'insert into %1$s (%2$s) select %2$s from only %3$s where created_at >= $1 and created_at < $2',
    made, message_column_list(), default_message_partition()
  )
  using message_month_start(first_day), message_month_start(first_day) + interval '1 month';
  get diagnostics copied = row_count;
  return copied;
end
$$;

comment on function copy_default_month(date) is
  'Second step of draining the default partition: copies the rows of a month. Returns how many. Stops nobody.';

create function mend_default_copies()
  returns bigint
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set enable_seqscan to off
  set jit to off
as $$
declare
  default_partition constant regclass := default_message_partition();
  column_list constant text := message_column_list();
  drained record;
  changed uuid[];
  was_truncated boolean;
begin
  -- Whoever changes a message after this statement notes it again, and it is mended again.
  with taken as (
    delete from message_default_changes returning id
  )
  select coalesce(array_agg(distinct t.id) filter (where t.id is not null), '{}'), coalesce(bool_or(t.id is null), false)
  into changed, was_truncated
  from taken t;
  if was_truncated then
    raise exception '% was truncated at this moment; run again', default_partition
      using errcode = 'serialization_failure';
  end if;
  for drained in select d.month, d.copy from default_drain_copies() d loop
    continue when changed = '{}';
    execute format('delete from only %s where id = any ($1)', drained.copy)
    using changed;
    execute format(
      'insert into %1$s (%2$s)
       select %2$s from only %3$s where id = any ($1) and created_at >= $2 and created_at < $3',
      drained.copy, column_list, default_partition
    )
    using changed, message_month_start(drained.month), message_month_start(drained.month) + interval '1 month';
    perform settle_message_checks(drained.copy);
  end loop;
  return cardinality(changed);
end
$$;

comment on function mend_default_copies() is
  'Brings the copies of a drain up to what has been noted since the last time. Returns how many messages that were.';

create function protect_default_drain()
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  drained record;
  reference record;
begin
  -- Most of what changed meanwhile, so that little is left for the moment under the locks.
  perform mend_default_copies();
  perform lock_message_tables(
    message_reference_tables(),
    array_fill('share row exclusive'::text, array[cardinality(message_reference_tables())])
  );
  -- Nobody can delete what a message refers to now, so no copy refers to what has gone.
  perform mend_default_copies();
  for drained in select d.copy from default_drain_copies() d loop
    for reference in
      select c.conname, pg_get_constraintdef(c.oid) as definition
      from pg_constraint c
      where c.conrelid = 'messages'::regclass
        and c.contype = 'f'
        and c.conparentid = 0
    loop
      execute format(
        'alter table %s add constraint %I %s not valid',
        drained.copy, reference.conname, reference.definition
      );
    end loop;
  end loop;
end
$$;

comment on function protect_default_drain() is
  'Third step of draining the default partition: gives the copies their foreign keys, to be validated later; writers to '
  'conversations and message_keys wait for the milliseconds that takes.';

create function validate_default_month(month date)
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  constraint_name record;
begin
  for constraint_name in
    select d.copy, c.conname
    from default_drain_copies() d
    join pg_constraint c on c.conrelid = d.copy
    where d.month = date_trunc('month', $1::timestamp)::date
      and c.contype = 'f'
      and not c.convalidated
  loop
    execute format('alter table %s validate constraint %I', constraint_name.copy, constraint_name.conname);
  end loop;
end
$$;

comment on function validate_default_month(date) is
  'Validates the foreign keys of a copy, so that attaching it checks no row. Stops neither readers nor writers.';

create function replace_default_partition(default_partition regclass, months date[], copies regclass[])
  returns void
  language plpgsql
  volatile
  set search_path from current
  set timezone to 'UTC'
  set datestyle to 'ISO, YMD'
  set enable_seqscan to off
as $$
declare
  column_list constant text := message_column_list();
  default_name text;
  default_comment text;
  fresh regclass;
  index record;
  rest_from timestamptz := '-infinity';
  rest_until timestamptz;
begin
  select c.relname, obj_description(c.oid, 'pg_class')
  into strict default_name, default_comment
  from pg_class c
  where c.oid = default_partition;

  perform settle_message_checks(default_partition);
  execute format('alter table messages detach partition %s', default_partition);
  -- Its indexes give their names free as well: those of the fresh default partition are to be the usual ones.
  for index in
    select x.indexrelid::regclass as name, i.relname || '_drain' as new_name
    from pg_index x
    join pg_class i on i.oid = x.indexrelid
    where x.indrelid = default_partition
  loop
    execute format('alter index %s rename to %I', index.name, index.new_name);
  end loop;
  execute format('alter table %s rename to %I', default_partition, default_name || '_drain');

  -- Before there is a default partition again, which attaching would have to look through.
  for position in 1..cardinality(copies) loop
    execute format(
      'alter table %s rename to %I',
      copies[position], message_partition_name('messages'::regclass, months[position])
    );
    execute format('comment on table %s is null', copies[position]);
    execute format(
      'alter table messages attach partition %s for values from (%L) to (%L)',
      copies[position],
      message_month_start(months[position]),
      message_month_start(months[position]) + interval '1 month'
    );
  end loop;
  execute format('create table %I partition of messages default', default_name);
  fresh := format('%I.%I', current_schema(), default_name)::regclass;
  perform protect_message_partition('messages'::regclass, fresh);
  execute format('comment on table %s is %L', fresh, default_comment);

  -- Rows of other months only change their table: their keys stay, so the triggers are silent. They are found before,
  -- between and after the drained months by the index on created_at.
  perform set_config('aisec.moving_messages', 'on', true);
  for position in 1..cardinality(months) + 1 loop
    rest_until := message_month_start(months[position]);
    execute format(
      'insert into %1$s (%2$s)
       select %2$s from only %3$s where created_at >= $1 and %4$s',
      fresh, column_list, default_partition,
      case when rest_until is null then 'true' else 'created_at < $2' end
    )
    using rest_from, rest_until;
    rest_from := rest_until + interval '1 month';
  end loop;
  perform set_config('aisec.moving_messages', 'off', true);
  perform settle_message_checks(fresh);
  execute format('drop table %s', default_partition);
end
$$;

comment on function replace_default_partition(regclass, date[], regclass[]) is
  'Attaches the copies of months, in order of time, and puts a fresh default partition with the rows of other months in '
  'the place of the old one, which is dropped; the caller holds ACCESS EXCLUSIVE on all of them, on messages and on what '
  'foreign keys point to.';

create function finish_default_drain()
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  default_partition constant regclass := default_message_partition();
  months constant date[] := array(select d.month from default_drain_copies() d order by d.month);
  copies constant regclass[] := array(select d.copy from default_drain_copies() d order by d.month);
  locked constant regclass[] := message_reference_tables() || 'messages'::regclass || default_partition;
  in_the_way text;
begin
  perform lock_message_maintenance(locked);
  select string_agg(w.partitions, ', ')
  into in_the_way
  from unnest(months) m(month)
  cross join lateral (select overlapping_message_partitions('messages'::regclass, m.month) as partitions) w;
  if in_the_way is not null
    or not exists (
      select
      from pg_trigger t
      where t.tgrelid = default_partition
        and t.tgfoid = 'record_default_change()'::regprocedure
    )
  then
    raise exception 'another session has made partitions meanwhile; run again'
      using
        errcode = 'serialization_failure',
        detail = format('Partitions of these months: %s.', coalesce(in_the_way, 'none'));
  end if;

  -- Most of what changed meanwhile, so that little is left for the moment under the locks.
  perform mend_default_copies();
  perform lock_message_tables(locked, array_fill('access exclusive'::text, array[cardinality(locked)]));
  perform mend_default_copies();
  perform replace_default_partition(default_partition, months, copies);
  drop table message_default_changes;
end
$$;

comment on function finish_default_drain() is
  'Last step of draining the default partition: the copies become the partitions of their months.';

-- Whoever may execute a trigger function may put it on a table of his own, where it would run as its owner.
revoke execute on function
  record_default_change(),
  default_message_partition(),
  default_drain_copies(),
  abandon_default_drain(),
  begin_default_drain(),
  copy_default_month(date),
  mend_default_copies(),
  protect_default_drain(),
  validate_default_month(date),
  replace_default_partition(regclass, date[], regclass[]),
  finish_default_drain()
from public, authenticated;

-- Down Migration

select abandon_default_drain();
drop function
  finish_default_drain(),
  replace_default_partition(regclass, date[], regclass[]),
  validate_default_month(date),
  protect_default_drain(),
  mend_default_copies(),
  copy_default_month(date),
  begin_default_drain(),
  abandon_default_drain(),
  default_drain_copies(),
  default_message_partition(),
  record_default_change();
