-- Which tenants would Citus move to other nodes, by its own strategy?
-- Parameters: none
-- Columns:    schema, from_host, from_port, to_host, to_port
-- Needs:      the extension citus
select
  namespace.nspname::text as schema,
  plan.sourcename as from_host,
  plan.sourceport as from_port,
  plan.targetname as to_host,
  plan.targetport as to_port
from pg_catalog.get_rebalance_table_shards_plan() as plan
join pg_catalog.pg_class as class on class.oid = plan.table_name
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
group by namespace.nspname, plan.sourcename, plan.sourceport, plan.targetname, plan.targetport
order by namespace.nspname
