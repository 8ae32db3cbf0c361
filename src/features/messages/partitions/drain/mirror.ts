import { withTransaction, type Session } from '../../../../adapters/postgres/session.js';
import { sqlFile } from '../../../../adapters/postgres/sql-file.js';
import { quoteIdentifier, quoteLiteral } from '../../../../base/identifier.js';
import { qualifiedName } from '../../partition.js';
import type { DrainSet } from './copies.js';
import { mirrorFunctionStatements } from './mirror-function.js';
import { differencesTable, MIRROR, mirrorFunction, TRUNCATED, truncationFunction } from './objects.js';

/**
 * What identifies the triggers and functions of this drain: a trigger that was disabled, replaced or dropped meanwhile has
 * let changes pass, so that the copies cannot be trusted. Null when one is missing.
 */
export async function mirrorIdentity(session: Session, { schema, source }: DrainSet): Promise<string | null> {
  const { rows } = await session.query<{ identity: string | null }>(sqlFile('partitions/mirror-identity'), [
    qualifiedName(source),
    qualifiedName({ schema, name: 'messages' }),
    [MIRROR, TRUNCATED],
  ]);
  return rows[0]?.identity ?? null;
}

/** A SECURITY DEFINER function of a superuser would do more than one of the owner. */
async function giveToOwner(session: Session, { schema }: DrainSet): Promise<void> {
  const { rows } = await session.query<{ owner: string; is_self: boolean }>(
    `select pg_catalog.pg_get_userbyid(relowner)::text as owner, relowner = current_user::regrole as is_self
     from pg_catalog.pg_class
     where oid = 'messages'::regclass`,
  );
  const [messages] = rows;
  if (messages === undefined || messages.is_self) return;
  const owner = quoteIdentifier(messages.owner);
  await session.query(`
    alter table ${differencesTable(schema)} owner to ${owner};
    alter function ${mirrorFunction(schema)} owner to ${owner};
    alter function ${truncationFunction(schema)} owner to ${owner}`);
}

/**
 * Begins the mirroring. Its lock on the default partition waits for every transaction that has written to it, so that no
 * change is older than the triggers and unknown to them.
 *
 * @returns the identity of the triggers.
 * @throws AisecError LOCK_TIMEOUT.
 */
export async function beginMirror(session: Session, set: DrainSet): Promise<string> {
  const { schema, source } = set;
  const table = qualifiedName(source);
  const differences = differencesTable(schema);
  return withTransaction(session, async () => {
    await session.query('set transaction isolation level read committed; select aisec_begin_message_maintenance()');
    await session.query(`
      create table ${differences} (id uuid);
      alter table ${differences} enable row level security;
      select aisec_revoke_all(${quoteLiteral(differences)});
      ${mirrorFunctionStatements(set)}
      select aisec_revoke_execute(${quoteLiteral(mirrorFunction(schema))}, ${quoteLiteral(truncationFunction(schema))})`);
    await giveToOwner(session, set);
    await session.query(`
      select aisec_lock_maintenance(array[${quoteLiteral(table)}]::regclass[]);
      select aisec_lock_tables(array[${quoteLiteral(table)}]::regclass[], array['share row exclusive']);
      create trigger ${MIRROR} after insert or update or delete on ${table}
        for each row execute function ${mirrorFunction(schema)};
      create trigger ${TRUNCATED} after truncate on ${table}
        for each statement execute function ${truncationFunction(schema)};
      alter table ${table} enable always trigger ${MIRROR};
      alter table ${table} enable always trigger ${TRUNCATED}`);
    const identity = await mirrorIdentity(session, set);
    if (identity === null) throw new Error('the triggers that were just created are not there');
    return identity;
  });
}
