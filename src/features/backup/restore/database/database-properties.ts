import { quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';
import type { Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';

interface Grant {
  readonly grantee: string | null;
  readonly privilege: string;
  readonly isGrantable: boolean;
}

interface Setting {
  readonly role: string | null;
  readonly name: string;
  readonly value: string;
}

interface PropertiesRow {
  readonly owner: string;
  readonly connection_limit: number;
  readonly comment: string | null;
  readonly has_grants: boolean;
  readonly grants: readonly Grant[];
  readonly settings: readonly Setting[];
}

function grantStatements(database: string, { has_grants: hasGrants, grants }: PropertiesRow): readonly string[] {
  if (!hasGrants) return [];
  return [
    `revoke all on database ${database} from public`,
    ...grants.map(
      ({ grantee, privilege, isGrantable }) =>
        `grant ${privilege} on database ${database} to ${grantee === null ? 'public' : quoteIdentifier(grantee)}${isGrantable ? ' with grant option' : ''}`,
    ),
  ];
}

/** Lists whose parts are quoted each, as pg_dump has them too (GUC_LIST_QUOTE): one literal would become one name. */
const LISTS: readonly string[] = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
];

function settingValue({ name, value }: Setting): string {
  if (!LISTS.includes(name.toLowerCase())) return quoteLiteral(value);
  const parts = value.match(/"(?:[^"]|"")*"|[^\s,]+/g) ?? [''];
  return parts
    .map((part) => quoteLiteral(part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part))
    .join(', ');
}

/** As text, without setting it here: a role, a timeout, an encoding or what only a login takes would end the run or change it. */
function settingStatement(database: string, setting: Setting): string {
  const { role, name } = setting;
  const subject =
    role === null ? `alter database ${database}` : `alter role ${quoteIdentifier(role)} in database ${database}`;
  return `${subject} set ${name.split('.').map(quoteIdentifier).join('.')} to ${settingValue(setting)}`;
}

/**
 * Gives `to` what `from` has beside its contents: owner, connection limit, grants, settings (ALTER DATABASE … SET, also
 * of single roles) and comment. In the transaction that is open.
 *
 * @throws AisecError as `Session.query`.
 */
export async function copyDatabaseProperties(session: Session, from: string, to: string): Promise<void> {
  const { rows } = await session.query<PropertiesRow>(sqlFile('backup/database-properties'), [from]);
  const [properties] = rows;
  if (properties === undefined) return;
  const database = quoteIdentifier(to);
  const comment = properties.comment === null ? 'null' : quoteLiteral(properties.comment);
  await session.query(`alter database ${database} connection limit ${properties.connection_limit}`);
  for (const setting of properties.settings) await session.query(settingStatement(database, setting));
  for (const statement of grantStatements(database, properties)) await session.query(statement);
  await session.query(`comment on database ${database} is ${comment}`);
  // Last: what went before needs the ownership.
  await session.query(`alter database ${database} owner to ${quoteIdentifier(properties.owner)}`);
}
