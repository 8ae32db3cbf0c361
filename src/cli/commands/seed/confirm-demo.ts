import { isConfirmed } from '../../terminal/confirm-database.js';
import type { Context } from '../../context.js';
import { shellWord } from '../../../base/package/aisec-command.js';

export interface ConfirmOptions {
  readonly yes: boolean;
  readonly confirm?: string;
}

/**
 * Asks before demo rows are mixed with others: in production the database's name must be given, and elsewhere --yes or
 * the name when a table has rows that `aisec seed` did not write.
 *
 * @throws AisecError REFUSED.
 */
export async function confirmDemo(
  context: Context,
  tables: readonly string[],
  databaseName: string,
  { yes, confirm }: ConfirmOptions,
): Promise<void> {
  if (isConfirmed(confirm, databaseName)) return;
  if (context.config.isProduction) {
    await context.prompt.confirmByTyping(
      'AISEC_ENV is production, and these are invented users and messages.',
      databaseName,
      `Demo data does not belong into production. If it must, give the database's name: --confirm ${shellWord(databaseName)}`,
    );
    return;
  }
  if (tables.length === 0 || yes) return;
  context.output.note(`The database has rows of others already, in: ${tables.join(', ')}.`);
  await context.prompt.confirmByTyping(
    'Demo rows would be mixed with them.',
    databaseName,
    'Give --yes to add demo rows to a database that has others.',
  );
}
