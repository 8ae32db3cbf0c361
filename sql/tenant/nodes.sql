-- Which nodes do the tenants of Citus lie on, and does the coordinator reach them?
-- Parameters: none
-- Columns:    host (text), port (integer), is_active (boolean), takes_tenants (boolean), is_reachable (boolean)
-- Needs:      the extension citus
select
  nodes.nodename as host,
  nodes.nodeport as port,
  nodes.isactive as is_active,
  nodes.shouldhaveshards as takes_tenants,
  coalesce(pg_catalog.citus_check_connection_to_node(nodes.nodename, nodes.nodeport), false) as is_reachable
from pg_catalog.pg_dist_node as nodes
where nodes.noderole = 'primary'
  and nodes.groupid <> 0
order by nodes.nodename, nodes.nodeport
