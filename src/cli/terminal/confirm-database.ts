import { AisecError } from '../../base/errors.js';
import type { Prompt } from './prompt.js';
import { shellWord } from '../../base/package/aisec-command.js';

/**
 * Whether --confirm was given with the database's name, so that nothing has to be asked.
 *
 * @throws AisecError REFUSED for another name: the command would work on a database that was not meant.
 */
export function isConfirmed(given: string | undefined, database: string): boolean {
  if (given === undefined || given === database) return given === database;
  throw new AisecError('REFUSED', `--confirm ${given} is not the name of the database`, {
    hint: `It is "${database}". No changes were made.`,
  });
}

/**
 * Has the database's name typed, unless --confirm gives it.
 *
 * @param question what would happen, in a sentence
 * @throws AisecError REFUSED.
 */
export async function confirmDatabase(
  { prompt }: { readonly prompt: Prompt },
  given: string | undefined,
  database: string,
  question: string,
  hint = `Give the database's name: --confirm ${shellWord(database)}`,
): Promise<void> {
  if (!isConfirmed(given, database)) await prompt.confirmByTyping(question, database, hint);
}
