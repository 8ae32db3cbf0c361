-- What did default privileges (ALTER DEFAULT PRIVILEGES) grant or revoke on the objects that this transaction has made?
-- Parameters: none
-- Columns:    statement (takes it back: what is left is what PostgreSQL gives a new object by itself)
-- Needs:      to be their owner for the statements
-- An object that was only altered keeps the row of its dependency on the schema.
with made as (
  select depend.classid, depend.objid
  from pg_catalog.pg_depend as depend
  where depend.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
    and depend.xmin::text = (pg_catalog.pg_current_xact_id()::pg_catalog.xid)::text
), objects as (
  select
    case relation.relkind when 'S' then 'sequence ' else 'table ' end || relation.oid::pg_catalog.regclass as object,
    relation.relacl as acl,
    pg_catalog.acldefault(case relation.relkind when 'S' then 's'::"char" else 'r' end, relation.relowner) as usual,
    relation.relowner as owner
  from made
  join pg_catalog.pg_class as relation on relation.oid = made.objid
  where made.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  union all
  select
    'routine ' || routine.oid::pg_catalog.regprocedure,
    routine.proacl,
    pg_catalog.acldefault('f', routine.proowner),
    routine.proowner
  from made
  join pg_catalog.pg_proc as routine on routine.oid = made.objid
  where made.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  union all
  select
    'type ' || type.oid::pg_catalog.regtype,
    type.typacl,
    pg_catalog.acldefault('T', type.typowner),
    type.typowner
  from made
  join pg_catalog.pg_type as type on type.oid = made.objid
  where made.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
), grantees as (
  select distinct objects.object, entry.grantee
  from objects
  cross join lateral pg_catalog.aclexplode(objects.acl) as entry
  where entry.grantee <> objects.owner
)
select pg_catalog.format(
  'revoke all on %s from %s',
  grantees.object,
  case grantees.grantee
    when 0 then 'public'
    else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantees.grantee)::text)
  end
) as statement
from grantees
union all
select pg_catalog.format('grant %s on %s to public', entry.privilege_type, objects.object)
from objects
cross join lateral pg_catalog.aclexplode(objects.usual) as entry
where objects.acl is not null
  and entry.grantee = 0
order by statement desc
