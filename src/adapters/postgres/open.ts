import type { DatabaseTarget } from '../../config/database-target.js';
import type { OpenOptions } from './open-options.js';
import type { Session } from './session.js';

/**
 * Opens the one session a command works on. Each driver is loaded only when it is needed: pg costs 30 ms, PGlite 80 ms.
 *
 * @throws AisecError DATABASE_*, EMBEDDED_*.
 */
export async function openSession(target: DatabaseTarget, options: OpenOptions): Promise<Session> {
  if (target.kind === 'server') {
    const { openServer } = await import('./server.js');
    return openServer(target, options);
  }
  const { openEmbedded } = await import('../embedded/embedded.js');
  return openEmbedded(target, options);
}
