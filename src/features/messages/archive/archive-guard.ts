import type { Session } from '../../../adapters/postgres/session.js';
import { translateError } from '../../../adapters/postgres/error.js';

const LOCK = `begin;
set local lock_timeout = '5s';
set local idle_in_transaction_session_timeout = 0;
lock table only messages_archive in share update exclusive mode`;

/**
 * Keeps archive_old_messages and restores out of the archive from a second connection, so that no message joins a month
 * between the proof of its export and the deletion of its keys. Readers and writers are not stopped. Returns how to give
 * it back, to be called at least once. The embedded database has one session and needs none.
 *
 * @throws AisecError LOCK_TIMEOUT.
 */
export async function guardArchive(session: Session, schemaPath: string): Promise<() => Promise<void>> {
  const side = await session.openSide();
  if (side === undefined) return () => Promise.resolve();
  let isOpen = true;
  const release = async (): Promise<void> => {
    if (isOpen) await side.close();
    isOpen = false;
  };
  try {
    await side.query("select pg_catalog.set_config('search_path', $1, false)", [schemaPath]);
    await side.query(LOCK, []);
  } catch (error) {
    await release();
    throw translateError(error);
  }
  return release;
}
