import { withTransaction, type Session } from '../../adapters/postgres/session.js';
import { AisecError } from '../../base/errors.js';
import { quoteIdentifier, quoteLiteral } from '../../base/identifier.js';
import { readCitus } from './citus.js';

/**
 * Where a schema lies, and where it is to lie when it is complete: `plain` on this node, `awaited` made here and to be
 * distributed at the end, `distributed` already.
 */
export type TenantPlace = 'plain' | 'awaited' | 'distributed';

/** Looks only. @throws AisecError CONFIG_INVALID on a worker of Citus, whose schemas are the coordinator's. */
export async function readTenantPlace(session: Session, schema: string): Promise<TenantPlace> {
  const citus = await readCitus(session, schema);
  if (citus === undefined) return 'plain';
  if (!citus.is_coordinator)
    throw new AisecError('CONFIG_INVALID', `${session.info.label} is a worker of Citus`, {
      detail: 'No changes were made.',
      hint: 'Give the address of the coordinator.',
    });
  if (citus.is_distributed) return citus.has_relations ? 'distributed' : 'awaited';
  // The schema public is never distributed.
  const isNew = !citus.is_there && citus.distributes_new && schema !== 'public';
  return isNew || citus.is_awaited ? 'awaited' : 'plain';
}

/** Goes into the message that makes the schema: a run after a kill continues. */
export function awaitedNote(schema: string): string {
  return `comment on schema ${quoteIdentifier(schema)} is 'aisec: to be distributed';`;
}

/** A schema that someone made where Citus distributes new ones, and that is empty, becomes an ordinary one meanwhile. */
export async function takeBackEmpty(session: Session, schema: string): Promise<void> {
  const citus = await readCitus(session, schema);
  if (citus?.is_distributed !== true) return;
  const name = quoteLiteral(quoteIdentifier(schema));
  await withTransaction(session, async () => {
    await session.query('set local client_min_messages = warning');
    await session.query(`select pg_catalog.citus_schema_undistribute(${name}::regnamespace)`);
    await session.query(awaitedNote(schema));
  });
}
