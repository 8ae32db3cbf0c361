-- Services that cache rows of the read-mostly tables are notified when they change.
--
-- NOTIFY is delivered when the transaction commits and never after a rollback, to every session that listens, and all
-- of them receive all messages in the order of the commits (https://www.postgresql.org/docs/16/sql-notify.html). So a
-- change is announced here and not in the services: psql and a job of an operator announce theirs, too.
-- Statement-level triggers: a change of 20,000 rows costs 90 ms with them and 190 ms row by row.
--
-- A transaction that announced something cannot be prepared for two-phase commit.

-- Up Migration

-- The channel is one of the schema, since several may live in one database, by its oid: a name may be too long for it.
-- The message is {"table": name} when any row may have changed, and {"table": name, "users": [id, …]} when they were
-- rows of these users. A message has less than 8000 bytes, so from 101 users on it is the whole table.
create function aisec_notify_cache()
  returns trigger
  language plpgsql
  volatile
  set search_path from current
as $$
declare
  most_users constant integer := 100;
  owners uuid[];
  has_changed boolean;
  message jsonb := jsonb_build_object('table', tg_table_name);
begin
  if tg_op <> 'TRUNCATE' and tg_argv[0] = 'by user' then
    if tg_op = 'INSERT' then
      owners := array(select distinct n.user_id from new_rows n limit most_users + 1);
    elsif tg_op = 'DELETE' then
      owners := array(select distinct o.user_id from old_rows o limit most_users + 1);
    else
      -- A row that is given to another user changes what both see.
      owners := array(
        select n.user_id from new_rows n union select o.user_id from old_rows o limit most_users + 1
      );
    end if;
    has_changed := cardinality(owners) > 0;
    if cardinality(owners) <= most_users then
      message := message || jsonb_build_object('users', to_jsonb(owners));
    end if;
  elsif tg_op = 'TRUNCATE' then
    has_changed := true;
  elsif tg_op = 'DELETE' then
    has_changed := exists (select from old_rows);
  else
    has_changed := exists (select from new_rows);
  end if;
  if has_changed then
    perform pg_notify(
      'aisec_cache_' || (select c.relnamespace from pg_class c where c.oid = tg_relid),
      message::text
    );
  end if;
  return null;
end
$$;

comment on function aisec_notify_cache() is
  'Trigger: notifies the caches of services at commit which users'' rows of a table have changed.';

do $$
begin
  perform aisec_revoke_execute('aisec_notify_cache()');
end
$$;

create trigger notify_cache_insert
  after insert on system_settings
  referencing new table as new_rows
  for each statement
  execute function aisec_notify_cache();
create trigger notify_cache_update
  after update on system_settings
  referencing old table as old_rows new table as new_rows
  for each statement
  execute function aisec_notify_cache();
create trigger notify_cache_delete
  after delete on system_settings
  referencing old table as old_rows
  for each statement
  execute function aisec_notify_cache();
create trigger notify_cache_truncate
  after truncate on system_settings
  for each statement
  execute function aisec_notify_cache();

create trigger notify_cache_insert
  after insert on user_preferences
  referencing new table as new_rows
  for each statement
  execute function aisec_notify_cache('by user');
create trigger notify_cache_update
  after update on user_preferences
  referencing old table as old_rows new table as new_rows
  for each statement
  execute function aisec_notify_cache('by user');
create trigger notify_cache_delete
  after delete on user_preferences
  referencing old table as old_rows
  for each statement
  execute function aisec_notify_cache('by user');
create trigger notify_cache_truncate
  after truncate on user_preferences
  for each statement
  execute function aisec_notify_cache();

create trigger notify_cache_insert
  after insert on assistants
  referencing new table as new_rows
  for each statement
  execute function aisec_notify_cache('by user');
create trigger notify_cache_update
  after update on assistants
  referencing old table as old_rows new table as new_rows
  for each statement
  execute function aisec_notify_cache('by user');
create trigger notify_cache_delete
  after delete on assistants
  referencing old table as old_rows
  for each statement
  execute function aisec_notify_cache('by user');
create trigger notify_cache_truncate
  after truncate on assistants
  for each statement
  execute function aisec_notify_cache();

-- Also where session_replication_role is replica: a cache does not know how a row was changed.
alter table system_settings
  enable always trigger notify_cache_insert,
  enable always trigger notify_cache_update,
  enable always trigger notify_cache_delete,
  enable always trigger notify_cache_truncate;
alter table user_preferences
  enable always trigger notify_cache_insert,
  enable always trigger notify_cache_update,
  enable always trigger notify_cache_delete,
  enable always trigger notify_cache_truncate;
alter table assistants
  enable always trigger notify_cache_insert,
  enable always trigger notify_cache_update,
  enable always trigger notify_cache_delete,
  enable always trigger notify_cache_truncate;

-- Down Migration

drop trigger notify_cache_insert on system_settings;
drop trigger notify_cache_update on system_settings;
drop trigger notify_cache_delete on system_settings;
drop trigger notify_cache_truncate on system_settings;
drop trigger notify_cache_insert on user_preferences;
drop trigger notify_cache_update on user_preferences;
drop trigger notify_cache_delete on user_preferences;
drop trigger notify_cache_truncate on user_preferences;
drop trigger notify_cache_insert on assistants;
drop trigger notify_cache_update on assistants;
drop trigger notify_cache_delete on assistants;
drop trigger notify_cache_truncate on assistants;
drop function aisec_notify_cache();
