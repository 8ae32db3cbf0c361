import type pg from 'pg';

import type { ServerTarget } from '../../../config/database-target.js';

type Facts = { readonly is_standby: boolean; readonly is_read_only: boolean };

const IS_MET: Readonly<Record<string, (facts: Facts) => boolean>> = {
  'read-write': ({ is_standby: isStandby, is_read_only: isReadOnly }) => !isStandby && !isReadOnly,
  'read-only': ({ is_standby: isStandby, is_read_only: isReadOnly }) => isStandby || isReadOnly,
  primary: ({ is_standby: isStandby }) => !isStandby,
  standby: ({ is_standby: isStandby }) => isStandby,
};

/** The server answers, and is not of the kind that target_session_attrs asks for. */
export class OtherKindOfServer extends Error {
  constructor(
    readonly wanted: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * target_session_attrs as libpq means it, for one server. Asked before the session's settings are pinned, since one of them
 * is what is asked about.
 *
 * @throws OtherKindOfServer.
 */
export async function refuseOtherKindOfServer(
  client: pg.ClientBase,
  { connection }: Pick<ServerTarget, 'connection'>,
): Promise<void> {
  const wanted = connection.targetSessionAttrs ?? 'any';
  const isMet = IS_MET[wanted];
  if (isMet === undefined) return;
  const { rows } = await client.query<Facts>(
    `select pg_catalog.pg_is_in_recovery() as is_standby,
            pg_catalog.current_setting('default_transaction_read_only') = 'on' as is_read_only`,
  );
  const [facts] = rows;
  if (facts !== undefined && isMet(facts)) return;
  const primary =
    wanted === 'read-write' ? 'It is a primary with default_transaction_read_only = on.' : 'It is a primary.';
  throw new OtherKindOfServer(wanted, facts?.is_standby === true ? 'It is a standby.' : primary);
}
