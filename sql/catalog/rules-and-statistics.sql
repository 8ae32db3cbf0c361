-- Which rewrite rules (other than those that make a view) and extended statistics does a schema have?
-- Parameters: $1 schema (text)
-- Columns:    kind (rule, statistics), table, name, definition, enabled (rules: as for triggers), comment
-- Needs:      nothing
select
  'rule' as kind,
  class.relname::text as "table",
  rule.rulename::text as name,
  pg_catalog.pg_get_ruledef(rule.oid, true) as definition,
  case rule.ev_enabled
    when 'O' then 'origin'
    when 'D' then 'disabled'
    when 'R' then 'replica'
    else 'always'
  end as enabled,
  pg_catalog.obj_description(rule.oid, 'pg_rewrite') as comment
from pg_catalog.pg_rewrite as rule
join pg_catalog.pg_class as class on class.oid = rule.ev_class
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname = $1
  and rule.rulename <> '_RETURN'
union all
select
  'statistics',
  class.relname::text,
  statistics.stxname::text,
  pg_catalog.array_to_string(statistics.stxkind, '') || ' on '
    || pg_catalog.pg_get_statisticsobjdef_columns(statistics.oid),
  null,
  pg_catalog.obj_description(statistics.oid, 'pg_statistic_ext')
from pg_catalog.pg_statistic_ext as statistics
join pg_catalog.pg_class as class on class.oid = statistics.stxrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = statistics.stxnamespace
where namespace.nspname = $1
order by 1, 2, 3
