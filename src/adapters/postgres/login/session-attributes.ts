import type pg from 'pg';

import { AisecError } from '../../../base/errors.js';

type Facts = { readonly is_standby: boolean; readonly is_read_only: boolean };

const IS_MET: Readonly<Record<string, (facts: Facts) => boolean>> = {
  'read-write': ({ is_standby: isStandby, is_read_only: isReadOnly }) => !isStandby && !isReadOnly,
  'read-only': ({ is_standby: isStandby, is_read_only: isReadOnly }) => isStandby || isReadOnly,
  primary: ({ is_standby: isStandby }) => !isStandby,
  standby: ({ is_standby: isStandby }) => isStandby,
};

/**
 * target_session_attrs as libpq means it, for the one server that is named. Asked before the session's settings are pinned,
 * since one of them is what is asked about.
 *
 * @throws AisecError DATABASE_UNREACHABLE.
 */
export async function refuseOtherKindOfServer(
  client: pg.Client,
  wanted: string | undefined,
  label: string,
): Promise<void> {
  const isMet = IS_MET[wanted ?? 'any'];
  if (isMet === undefined) return;
  const { rows } = await client.query<Facts>(
    `select pg_catalog.pg_is_in_recovery() as is_standby,
            pg_catalog.current_setting('default_transaction_read_only') = 'on' as is_read_only`,
  );
  const [facts] = rows;
  if (facts !== undefined && isMet(facts)) return;
  throw new AisecError('DATABASE_UNREACHABLE', `${label} is not what target_session_attrs=${wanted ?? ''} asks for`, {
    detail:
      facts?.is_standby === true
        ? 'It is a standby.'
        : 'It is a primary, or accepts writes as the setting does not want.',
    hint: 'Name another server, or leave target_session_attrs (PGTARGETSESSIONATTRS) out.',
  });
}
