import { shellWord } from '../../../base/package/aisec-command.js';
import { storeFlags, type StorePlace } from '../../../config/store-url.js';

/** The command that lists the backups of a directory, or the copies in a store. */
export function listCommand(where: string | StorePlace): string {
  const option = typeof where === 'string' ? `--dir ${shellWord(where)}` : storeFlags(where);
  return `aisec backup list ${option}`;
}
