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

/**
 * The value is set in the session first and taken from there: a list such as a search_path, given as one literal,
 * would become one name. https://www.postgresql.org/docs/16/sql-alterdatabase.html
 */
function settingStatements(database: string, { role, name, value }: Setting): readonly string[] {
  const subject =
    role === null ? `alter database ${database}` : `alter role ${quoteIdentifier(role)} in database ${database}`;
  const parameter = name.split('.').map(quoteIdentifier).join('.');
  return [
    `select pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, true)`,
    `${subject} set ${parameter} from current`,
  ];
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
  for (const setting of properties.settings)
    for (const statement of settingStatements(database, setting)) await session.query(statement);
  for (const statement of grantStatements(database, properties)) await session.query(statement);
  await session.query(`comment on database ${database} is ${comment}`);
  // Last: what went before needs the ownership.
  await session.query(`alter database ${database} owner to ${quoteIdentifier(properties.owner)}`);
}
