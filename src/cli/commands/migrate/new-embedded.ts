import { AisecError } from '../../../base/errors.js';
import type { Context } from '../../context.js';

function refuse(detail: string, hint: string): never {
  throw new AisecError('DATABASE_NOT_CONFIGURED', 'no database is configured', { detail, hint });
}

/**
 * Refuses to make an embedded database where a server was meant, or no person is there to see that one is made. Returns
 * whether one will be made.
 *
 * @throws AisecError USAGE, DATABASE_NOT_CONFIGURED.
 */
export async function refuseUnmeantDatabase(context: Context, isEmbeddedMeant: boolean): Promise<boolean> {
  const { config, prompt } = context;
  const [{ resolveDatabaseTarget }, { meantAbove }] = await Promise.all([
    import('../../../config/database-target.js'),
    import('../../../config/meant-above.js'),
  ]);
  const target = resolveDatabaseTarget(config, isEmbeddedMeant);
  if (target.kind === 'server') {
    if (!isEmbeddedMeant) return false;
    throw new AisecError('USAGE', `--embedded, but ${target.source} names a server`, {
      hint: 'Leave one of them out.',
    });
  }
  if (await context.hasEmbedded(target.dataDir)) return false;
  if (isEmbeddedMeant) return true;
  const set = 'Set DATABASE_URL to the server, or give --embedded to make the embedded database.';
  const none = `No server is named by DATABASE_URL or libpq's variables, and there is no embedded database ${target.dataDir}.`;
  const above = meantAbove(config.cwd);
  if (above !== undefined)
    refuse(`${none} There is ${above}.`, 'Run aisec there, or give --embedded to make one here.');
  if ((config.environment['CI'] ?? '') !== '') refuse(`${none} CI is set.`, set);
  if (!prompt.isInteractive) refuse(`${none} There is no terminal.`, set);
  return true;
}
