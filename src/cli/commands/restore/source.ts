import { resolve } from 'node:path';

import { AisecError } from '../../../base/errors.js';
import { isStoreUrl } from '../../../config/store-url.js';
import type { BackupSource } from '../../../features/backup/store/local-backup.js';
import type { Context } from '../../context.js';
import type { Options } from './usage.js';

/** @throws AisecError USAGE for an empty option, which is a shell variable that was not set. */
export function sourceOf({ config }: Context, { identity, endpoint }: Options): BackupSource {
  if (identity === '') throw new AisecError('USAGE', '--identity is empty', { hint: 'Is a shell variable not set?' });
  return { identityFile: identity === undefined ? undefined : resolve(config.cwd, identity), endpoint };
}

/** The path or address of the backup that was given. */
export function givenBackup({ config }: Context, argument: string): string {
  return isStoreUrl(argument) ? argument : resolve(config.cwd, argument);
}

/** @throws AisecError USAGE where no server is configured: of the embedded database, all is restored or nothing. */
export async function requireServer(context: Context, option: string, argument: string): Promise<void> {
  if ((await context.embeddedAccess({ timeoutMs: 0, waitMs: 0 })) === undefined) return;
  throw new AisecError('USAGE', `${option} is for a server, and none is configured`, {
    hint: `Set DATABASE_URL. Of the embedded database, restore all of it beside and copy the rows from there: aisec restore ${argument} --create DIR`,
  });
}
