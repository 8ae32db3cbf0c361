import { withRollback, type Session } from '../../adapters/postgres/session.js';
import { isAisecError } from '../../base/errors.js';
import { quoteIdentifier } from '../../base/identifier.js';

/** No user has it. */
const NO_ONE = '00000000-0000-0000-0000-000000000000';

/**
 * Reads no row of a tenant as `withUser` reads. Returns what the server says where that fails: the node does not let role
 * authenticated log in, or the user is not handed on to it.
 *
 * @throws AisecError PRIVILEGE_MISSING where the session's role may not act as authenticated.
 */
export async function tryAsUser(session: Session, schema: string): Promise<string | undefined> {
  return withRollback(session, async () => {
    await session.query("set local citus.propagate_set_commands = 'local'");
    await session.query('set local row_security = on');
    await session.query('set local role authenticated');
    await session.query(`set local app.current_user_id = '${NO_ONE}'`);
    try {
      await session.query(`select from ${quoteIdentifier(schema)}.users limit 1`);
      return undefined;
    } catch (error) {
      if (isAisecError(error, 'DATABASE_FAILED', 'NODE_UNREACHABLE', 'PRIVILEGE_MISSING', 'DATABASE_AUTH'))
        return error.message;
      throw error;
    }
  });
}
