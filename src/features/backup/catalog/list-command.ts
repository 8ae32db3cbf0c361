import { shellWord } from '../../../base/aisec-command.js';
import { storeUrl, type StorePlace } from '../../../config/store-url.js';

/** The command that lists the backups of a directory, or the copies in a store. */
export function listCommand(where: string | StorePlace): string {
  const option = typeof where === 'string' ? `--dir ${shellWord(where)}` : `--store ${shellWord(storeUrl(where))}`;
  return `aisec backup list ${option}`;
}
