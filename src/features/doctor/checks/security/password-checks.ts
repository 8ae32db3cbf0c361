import { nameInSql, quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';
import type { Check, Fault, GrantFor, Subject } from '../../check.js';
import { qualified } from '../../names.js';

/** The well-known initial password of the user admin. */
const DEFAULT_PASSWORD = 'admin123';
const LOWEST_COST = 12;
/** As passlib, Django, Werkzeug and crypt(3) write them; the part in brackets names the kind. */
const OTHER_FORMATS =
  '^\\$?((?:argon2(?:id|i|d)?|scrypt|pbkdf2(?:[-_:]sha(?:1|224|256|384|512))?|bcrypt[-_]sha256|yescrypt|y|gy|7|6|5))[$:]';
const BCRYPT = '^\\$2[abxy]\\$[0-9]{2}\\$.{53}$';

const GRANT: GrantFor = (schema, role) =>
  `grant usage on schema ${schema} to ${role}; grant select (username, email, password_hash) on ${schema}.users to ${role}; alter role ${role} bypassrls;`;

interface HashCount {
  /** Null: no bcrypt hash at all. */
  readonly cost: string | null;
  /** Of a slow hash that is no bcrypt hash: the name of its kind; null: not known. */
  readonly format: string | null;
  readonly accounts: string;
}

interface SeededAccount {
  readonly username: string;
  readonly extension_schema: string | null;
  readonly password_hash: string;
}

/** One pass over the table; the hashes themselves stay in the server. */
async function readHashes({ session, schema }: Subject): Promise<readonly HashCount[]> {
  const { rows } = await session.query<HashCount>(
    `select
       case when password_hash ~ $1 then pg_catalog.substring(password_hash, 5, 2) end as cost,
       case when password_hash !~ $1 then pg_catalog.lower(pg_catalog.substring(password_hash, $2)) end as format,
       pg_catalog.count(*) as accounts
     from ${qualified(schema, 'users')}
     group by 1, 2
     order by 1, 2`,
    [BCRYPT, OTHER_FORMATS],
  );
  return rows;
}

/** No password is ever sent as a literal of a new hash: a random one takes its place. */
function resetSql(schema: string, condition: string): string {
  const hash = `${quoteIdentifier(schema)}.hash_password(pg_catalog.gen_random_uuid()::text)`;
  return `update ${qualified(schema, 'users')} set password_hash = ${hash} where ${condition};`;
}

async function examineDefault({ session, schema }: Subject): Promise<readonly Fault[]> {
  const { rows } = await session.query<SeededAccount>(
    `select
       username,
       password_hash,
       (
         select namespace.nspname::text
         from pg_catalog.pg_extension as extension
         join pg_catalog.pg_namespace as namespace on namespace.oid = extension.extnamespace
         where extension.extname = 'pgcrypto'
       ) as extension_schema
     from ${qualified(schema, 'users')}
     where (username = 'admin' or email = 'admin@ai-secretary.local')
       and password_hash ~ $1`,
    [BCRYPT],
  );
  const faults: Fault[] = [];
  for (const { username, password_hash: hash, extension_schema: extensionSchema } of rows) {
    if (extensionSchema === null) continue;
    // In hexadecimal, so that a log of statements or parameters does not read like a login.
    const { rows: answers } = await session.query<{ is_default: boolean }>(
      `select ${quoteIdentifier(extensionSchema)}.crypt(
         pg_catalog.convert_from(pg_catalog.decode($1, 'hex'), 'UTF8'), $2) = $2 as is_default`,
      [Buffer.from(DEFAULT_PASSWORD).toString('hex'), hash],
    );
    if (answers[0]?.is_default !== true) continue;
    faults.push({
      object: nameInSql(username),
      message: `the account ${username} still has the well-known initial password`,
      impact:
        'anyone who has read the document can log in as the administrator; after the fix its owner has to set a new password',
      fix: `${resetSql(schema, `username = ${quoteLiteral(username)}`)}`,
    });
  }
  return faults;
}

function accountsText(count: string): string {
  return count === '1' ? '1 account has' : `${count} accounts have`;
}

async function examineCost(subject: Subject): Promise<readonly Fault[]> {
  const counts = await subject.once(readHashes);
  return counts
    .filter((row) => row.cost !== null && Number(row.cost) < LOWEST_COST)
    .map(({ cost, accounts }) => ({
      object: `cost-${cost ?? ''}`,
      message: `${accountsText(accounts)} a bcrypt hash of cost ${Number(cost)}`,
      impact: `such a hash is tried ${2 ** (LOWEST_COST - Number(cost))} times as fast as one of cost ${LOWEST_COST} when the table is stolen; hash each password again with hash_password when its user logs in, since a reset would lock them out`,
      fix: null,
    }));
}

async function examineFormat(subject: Subject): Promise<readonly Fault[]> {
  const counts = await subject.once(readHashes);
  return counts.flatMap(({ cost, format, accounts }): Fault | [] => {
    if (cost !== null) return [];
    if (format !== null)
      return {
        object: `users/${format}`,
        severity: 'warning',
        message: `${accountsText(accounts)} a password hash of another program (${format})`,
        impact:
          'verify_password says no for them; let the program that wrote them check them, and hash the password with hash_password when its user logs in',
        fix: null,
      };
    return {
      object: 'users',
      message: `${accountsText(accounts)} neither a bcrypt hash nor one of a known format in password_hash`,
      impact:
        'no login with it succeeds, or it is a password in clear or a fast hash that another program wrote; hash each password with hash_password, or reset those accounts one by one',
      fix: null,
    };
  });
}

export const PASSWORD_CHECKS: readonly Check[] = [
  {
    id: 'default-password',
    area: 'security',
    severity: 'critical',
    title: "the document's password of the account admin still works",
    grant: GRANT,
    examine: examineDefault,
  },
  {
    id: 'bcrypt-cost',
    area: 'security',
    severity: 'warning',
    title: `password hashes of a cost below ${LOWEST_COST}`,
    grant: GRANT,
    examine: examineCost,
  },
  {
    id: 'password-format',
    area: 'security',
    severity: 'critical',
    title: 'accounts whose password_hash is not a bcrypt hash',
    grant: GRANT,
    examine: examineFormat,
  },
];
