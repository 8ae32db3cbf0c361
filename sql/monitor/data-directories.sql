-- Where does the server keep its data, and how does it differ from another server on the same machine?
-- Parameters: none
-- Columns:    address (text of inet_server_addr(); null: a Unix socket), port (text), startedAtSeconds (epoch),
--             dataDirectory (null: hidden from this role), tablespaces (json: name, location)
-- Needs:      pg_read_all_settings for data_directory (a member of pg_monitor has it)
select
  pg_catalog.host(pg_catalog.inet_server_addr()) as address,
  pg_catalog.current_setting('port') as port,
  pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::float8 as "startedAtSeconds",
  (select setting from pg_catalog.pg_settings where name = 'data_directory') as "dataDirectory",
  coalesce(
    (
      select pg_catalog.json_agg(pg_catalog.json_build_object('name', spcname, 'location', location) order by spcname)
      from pg_catalog.pg_tablespace
      cross join lateral pg_catalog.pg_tablespace_location(oid) as location
      where location <> ''
    ),
    '[]'::json
  ) as tablespaces
