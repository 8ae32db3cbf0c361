import { existsSync } from 'node:fs';
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

/** The backup that was given: an address, a path, or else a name in the directory of the backups. */
export function givenBackup({ config }: Context, argument: string): string {
  if (isStoreUrl(argument)) return argument;
  const file = resolve(config.cwd, argument);
  const named = resolve(config.backupDir, argument);
  return !existsSync(file) && existsSync(named) ? named : file;
}

/** @throws AisecError USAGE where no server is configured: of the embedded database, all is restored or nothing. */
export async function requireServer(context: Context, option: string, argument: string): Promise<void> {
  if ((await context.embeddedAccess({ timeoutMs: 0, waitMs: 0 })) === undefined) return;
  throw new AisecError('USAGE', `${option} is for a server, and none is configured`, {
    hint: `Set DATABASE_URL. Of the embedded database, restore all of it beside and copy the rows from there: aisec restore ${argument} --create DIR`,
  });
}
