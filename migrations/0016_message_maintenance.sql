-- What everything that makes, moves or drops months of messages is built from: the partitions as they are, one lock for
-- all of it, and the locks on tables.
--
-- Two rules of PostgreSQL shape the functions here:
--   * A lock taken in a plpgsql exception block is released when the block fails. So the strong locks are all taken
--     in one such block, each in its final mode, under a lock_timeout below deadlock_timeout: the functions give way
--     first, and no application is chosen as the victim of a deadlock.
--   * pg_get_expr prints bounds in the time zone of the session. So every function that reads or writes bounds
--     pins UTC.

-- Up Migration

create function aisec_message_partition_bounds()
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
      -- A bound has no columns; given the table, pg_get_expr would wait for a session that has it locked.
      pg_get_expr(c.relpartbound, 0) as bound
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent in ('messages'::regclass, 'messages_archive'::regclass)
    offset 0
  ) p
$$;

create function aisec_message_default_partition()
  returns regclass
  language sql
  stable
  set search_path from current
as $$
  select b.partition
  from aisec_message_partition_bounds() b
  where b.is_default
    and b.parent = 'messages'::regclass
$$;

create function aisec_message_reference_tables()
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

comment on function aisec_message_partition_bounds() is
  'Internal. The partitions of messages and messages_archive with their bounds; both bounds are null for a default '
  'partition.';
comment on function aisec_message_default_partition() is
  'Internal. The default partition of messages; null when there is none.';
comment on function aisec_message_reference_tables() is
  'Internal. The tables that foreign keys of messages point to; attaching or detaching a partition locks each of them.';

create function aisec_message_publications()
  returns table (
    publication name,
    is_via_root boolean,
    covers_new_tables boolean,
    publishes_messages boolean,
    publishes_archive boolean,
    published_partition regclass,
    publishes_deletes boolean
  )
  language sql
  stable
  set search_path from current
as $$
  select *
  from (
    select
      p.pubname,
      p.pubviaroot,
      p.puballtables or n.is_schema,
      p.puballtables or n.is_schema or 'messages'::regclass = any (r.relations),
      p.puballtables or n.is_schema or 'messages_archive'::regclass = any (r.relations),
      (
        select b.partition
        from aisec_message_partition_bounds() b
        where b.partition = any (r.relations)
        limit 1
      ),
      p.pubdelete
    from pg_publication p
    cross join lateral (
      select exists (
        select
        from pg_publication_namespace s
        where s.pnpubid = p.oid
          and s.pnnspid = quote_ident(current_schema())::regnamespace
      ) as is_schema
    ) n
    cross join lateral (
      select coalesce(array_agg(e.prrelid::regclass), '{}') as relations
      from pg_publication_rel e
      where e.prpubid = p.oid
    ) r
  ) found (publication, is_via_root, covers_new_tables, publishes_messages, publishes_archive, published_partition, publishes_deletes)
  where publishes_messages
    or publishes_archive
    or published_partition is not null
$$;

create function aisec_begin_message_maintenance()
  returns void
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  -- The lock of every command of aisec that changes the database.
  lock_key constant bigint := 7241865325823964;
  holder text;
  published record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'maintenance of messages needs a READ COMMITTED transaction'
      using
        errcode = 'invalid_transaction_state',
        detail = format(
          'This one is %s: it would not see what other transactions commit before it has its locks.',
          upper(current_setting('transaction_isolation'))
        ),
        hint = 'Begin with: begin transaction isolation level read committed';
  end if;
  if current_setting('session_replication_role') <> 'origin' then
    raise exception 'maintenance of messages needs session_replication_role = origin'
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = format('It is %s: foreign keys are not enforced.', current_setting('session_replication_role')),
        hint = 'Run: set session_replication_role = origin';
  end if;
  for published in
    select *
    from aisec_message_publications() p
    where p.published_partition is not null
      or not p.is_via_root
  loop
    raise exception 'publication "%" publishes partitions of messages under their own names', published.publication
      using
        errcode = 'object_not_in_prerequisite_state',
        detail = 'A subscriber would not receive the messages of a month that it does not know.',
        hint = case
          when published.published_partition is not null
            then format('Run: alter publication %I drop table %s', published.publication, published.published_partition)
          else format('Run: alter publication %I set (publish_via_partition_root = true)', published.publication)
        end;
  end loop;
  -- A run of aisec over several schemas shares the lock with itself, and has that of this schema alone.
  perform
  from pg_locks l
  where (l.locktype, l.pid, l.mode, l.objsubid) = ('advisory', pg_backend_pid(), 'ShareLock', 1)
    and (l.classid, l.objid) = ((lock_key >> 32)::oid, (lock_key & 4294967295)::oid);
  -- Waiting here would hold a snapshot that the other run may have to wait for.
  if not found and not pg_try_advisory_xact_lock(lock_key) then
    select format('process %s%s', l.pid, coalesce(' (' || nullif(a.application_name, '') || ')', ''))
    into holder
    from pg_locks l
    left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory'
      and l.granted
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and l.classid = (lock_key >> 32)::oid
      and l.objid = (lock_key & 4294967295)::oid
      and l.objsubid = 1
    limit 1;
    raise exception 'another run of aisec is changing this database'
      using
        errcode = 'lock_not_available',
        detail = coalesce(format('The lock is held by %s.', holder), 'The lock has been released since.'),
        hint = 'No changes were made. Run it again when the other run has ended.';
  end if;
end
$$;

create function aisec_describe_lock_holders(locked regclass, wanted_mode text)
  returns text
  language sql
  volatile
  set search_path from current
as $$
  -- pg_stat_activity stands still within a transaction, and attempts go on for seconds.
  select pg_stat_clear_snapshot();
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

create function aisec_lock_time_left_ms()
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

create function aisec_lock_maintenance(relations regclass[])
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
  -- no reader and no writer while it waits or is held, so it can afford that wait.
  foreach relation in array relations loop
    begin
      perform set_config(
        'lock_timeout',
        (
          select ceil(greatest(100, least(s.setting::numeric + 4000, aisec_lock_time_left_ms())))
          from pg_settings s
          where s.name = 'deadlock_timeout'
        )::text,
        true
      );
      execute format('lock table only %s in share update exclusive mode', relation);
    exception
      when lock_not_available or deadlock_detected then
        holders := aisec_describe_lock_holders(relation, 'share update exclusive');
        raise exception 'another session is maintaining %', relation
          using
            errcode = 'lock_not_available',
            detail = coalesce('Now ' || holders || '.', 'Its lock has been released since.'),
            hint = 'Wait until the VACUUM, CREATE INDEX or ALTER TABLE has ended, then run again.';
    end;
  end loop;
end
$$;

create function aisec_lock_tables(relations regclass[], modes text[])
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
        holders := aisec_describe_lock_holders(relation, mode);
    end;
    attempts_made := attempt;
    -- Jitter, and longer pauses after more failures, let the queue behind each attempt drain.
    pause_s := 0.05 + random() * 0.01 * attempt;
    exit when attempt = attempts or aisec_lock_time_left_ms() < pause_s * 1000;
    perform pg_sleep(pause_s);
  end loop;
  raise exception 'could not lock % in time', relation
    using
      errcode = 'lock_not_available',
      detail = format(
        '%s attempts; at the last one %s.', attempts_made, coalesce(holders, 'the holder had released it')
      ),
      hint = 'No changes were made. End the transaction that holds the table, or run again when it is quieter.';
end
$$;

comment on function aisec_begin_message_maintenance() is
  'Internal. First call of everything that makes, moves or drops months: takes the lock of aisec until the transaction '
  'ends, or fails with 55P03 naming its holder; refuses other isolation levels than READ COMMITTED, and publications '
  'whose subscribers would miss messages.';
comment on function aisec_message_publications() is
  'Internal. The publications that publish messages, messages_archive or one of their partitions. covers_new_tables: FOR '
  'ALL TABLES or for the schema.';
comment on function aisec_describe_lock_holders(regclass, text) is
  'Internal. Up to five sessions whose lock on a table conflicts with a wanted mode, in words; null when there is none.';
comment on function aisec_lock_time_left_ms() is
  'Internal. Milliseconds until the caller gives up waiting for locks: the setting aisec.lock_deadline_ms, an epoch in '
  'milliseconds by the clock of the server; infinity when it is not set.';
comment on function aisec_lock_maintenance(regclass[]) is
  'Internal. Takes SHARE UPDATE EXCLUSIVE on tables one after the other: keeps vacuum and DDL out, but no reader or '
  'writer.';
comment on function aisec_lock_tables(regclass[], text[]) is
  'Internal. Takes every lock in its final mode within a tenth of a second, or releases all of them and retries, 30 '
  'attempts at most.';

do $$
begin
  perform aisec_revoke_execute(
    'aisec_message_partition_bounds()',
    'aisec_message_default_partition()',
    'aisec_message_reference_tables()',
    'aisec_message_publications()',
    'aisec_begin_message_maintenance()',
    'aisec_describe_lock_holders(regclass, text)',
    'aisec_lock_time_left_ms()',
    'aisec_lock_maintenance(regclass[])',
    'aisec_lock_tables(regclass[], text[])'
  );
end
$$;

-- Down Migration

drop function
  aisec_lock_tables(regclass[], text[]),
  aisec_lock_maintenance(regclass[]),
  aisec_lock_time_left_ms(),
  aisec_describe_lock_holders(regclass, text),
  aisec_begin_message_maintenance(),
  aisec_message_publications(),
  aisec_message_reference_tables(),
  aisec_message_default_partition(),
  aisec_message_partition_bounds();
