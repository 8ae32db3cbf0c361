import { isAisecError, withHint } from '../../../base/errors.js';
import { shellWord } from '../../../base/package/aisec-command.js';
import type { Session } from '../session.js';

interface DeniedObject {
  readonly owner: string;
  readonly is_owned_by_superuser: boolean;
  readonly may_become_owner: boolean;
  readonly role_name: string;
  readonly role_literal: string;
  /** Null where no GRANT helps: only the owner may do it. */
  readonly grant_text: string | null;
  readonly is_function: boolean;
  /** Tables beside it belong to another role. */
  readonly is_mixed: boolean;
}

interface ServerError {
  readonly code?: string;
  readonly message: string;
  readonly routine?: string;
}

/** In each language of the server the message ends with the name, or has it in quotes. The last word that names something is it. */
const DENIED_OBJECT = `
with word as (
  select text, position from pg_catalog.unnest($1::text[]) with ordinality as word (text, position)
), denied as (
  select word.position, case when class.relkind = 'S' then 'sequence' else 'table' end as kind,
         class.relowner as owner, namespace.nspname as schema_name,
         pg_catalog.format('%I.%I', namespace.nspname, class.relname) as name,
         case
           when class.relkind = 'S' then 'usage, select'
           when not pg_catalog.has_table_privilege(class.oid, 'select') then 'select'
           else nullif(pg_catalog.concat_ws(', ',
             case when not pg_catalog.has_table_privilege(class.oid, 'insert') then 'insert' end,
             case when not pg_catalog.has_table_privilege(class.oid, 'update') then 'update' end,
             case when not pg_catalog.has_table_privilege(class.oid, 'delete') then 'delete' end), '')
         end as privileges
  from word
  join pg_catalog.pg_class as class on class.relname = word.text
  join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
  where class.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I')
  union all
  select word.position, 'function', routine.proowner, namespace.nspname,
         pg_catalog.format('%I.%I(%s)', namespace.nspname, routine.proname,
                           pg_catalog.pg_get_function_identity_arguments(routine.oid)),
         case when not pg_catalog.has_function_privilege(routine.oid, 'execute') then 'execute' end
  from word
  join pg_catalog.pg_proc as routine on routine.proname = word.text
  join pg_catalog.pg_namespace as namespace on namespace.oid = routine.pronamespace
  union all
  select word.position, 'schema', namespace.nspowner, namespace.nspname, pg_catalog.format('%I', namespace.nspname),
         case when not pg_catalog.has_schema_privilege(namespace.oid, 'usage') then 'usage'
              when not pg_catalog.has_schema_privilege(namespace.oid, 'create') then 'create' end
  from word
  join pg_catalog.pg_namespace as namespace on namespace.nspname = word.text
  union all
  select word.position, 'database', database.datdba, '', pg_catalog.format('%I', database.datname),
         case when $2 then 'temporary' else 'create' end
  from word
  join pg_catalog.pg_database as database on database.datname = word.text
  where database.datname = pg_catalog.current_database()
)
select
  pg_catalog.format('%I', owner.rolname) as owner,
  owner.rolsuper as is_owned_by_superuser,
  pg_catalog.pg_has_role(owner.oid, 'member') as may_become_owner,
  pg_catalog.format('%I', current_user) as role_name,
  owner.rolname::text as role_literal,
  case when denied.privileges is not null
    then pg_catalog.format('grant %s on %s %s to %I;', denied.privileges, denied.kind, denied.name, current_user)
  end as grant_text,
  denied.kind = 'function' as is_function,
  exists (
    select
    from pg_catalog.pg_class as class
    where class.relnamespace = pg_catalog.to_regnamespace(pg_catalog.quote_ident(denied.schema_name))
      and class.relkind in ('r', 'p')
      and class.relowner <> denied.owner
  ) as is_mixed
from denied
join pg_catalog.pg_roles as owner on owner.oid = denied.owner
where not pg_catalog.pg_has_role(owner.oid, 'usage')
order by
  denied.position desc,
  denied.kind = any ($1) desc,
  pg_catalog.strpos(
    pg_catalog.current_setting('search_path'), '"' || pg_catalog.replace(denied.schema_name, '"', '""') || '"') = 1 desc,
  denied.name
limit 1`;

const OF_TEMPORARY_TABLES = 'InitTempTableNamespace';
const OF_ROW_SECURITY = 'check_enable_rls';

/** Thrown by the server itself where it compares privileges or owners; what a function raises says for itself what it wants. */
export function deniedByServer(error: unknown): ServerError | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code, routine = '' }: ServerError = inner;
    const isOfObject =
      routine.startsWith('aclcheck_error') || routine === OF_TEMPORARY_TABLES || routine === OF_ROW_SECURITY;
    if (code === '42501' && isOfObject) return inner;
  }
  return undefined;
}

/** A function that was revoked from PUBLIC works on tables of its owner: without those, EXECUTE is not enough. */
function hintFor(denied: DeniedObject, isOfOwner: boolean): string {
  const { owner, role_name: role, grant_text: grant, is_function: isFunction, is_mixed: isMixed } = denied;
  const asOwner = `Run it as the owner, role ${owner}`;
  const isGranted = !isOfOwner && grant !== null && (isMixed || !isFunction);
  if (isMixed && (isOfOwner || isFunction)) {
    const first = isGranted ? `Let role ${owner} run: ${grant}` : `It belongs to role ${owner}.`;
    return `${first} The tables have several owners: aisec doctor --only mixed-owners`;
  }
  if (denied.may_become_owner) return `${asOwner}: add --role ${shellWord(denied.role_literal)}`;
  if (isGranted) return `${asOwner}; or let it run: ${grant}`;
  if (denied.is_owned_by_superuser) return `${asOwner}.`;
  return `${asOwner}; or let an administrator run: grant ${owner} to ${role} with inherit true, set true;`;
}

/**
 * The same error with the GRANT or the role that is missing. Asked in a session whose transaction was rolled back; where it
 * cannot answer, the error stays as it is.
 */
export async function explainMissingPrivilege(error: unknown, session: Session): Promise<unknown> {
  if (!isAisecError(error, 'PRIVILEGE_MISSING')) return error;
  const denied = deniedByServer(error);
  if (denied === undefined) return error;
  const { message, routine } = denied;
  if (routine === OF_ROW_SECURITY && error.hint !== undefined) return error;
  const words = message.match(/[\p{L}\p{N}_$]+/gu) ?? [];
  const found = await session
    .query<DeniedObject>(DENIED_OBJECT, [words, routine === OF_TEMPORARY_TABLES])
    .then(({ rows: [first] }) => first)
    .catch(() => undefined);
  if (found === undefined) return error;
  const isOfOwner = routine === OF_ROW_SECURITY || message.startsWith('must be owner');
  return withHint(error, [error.hint, hintFor(found, isOfOwner)].filter((part) => part !== undefined).join(' '));
}
