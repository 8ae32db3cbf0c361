import type { Loss } from '../../../features/migrate/losses.js';
import { isConfirmed } from '../../terminal/confirm-database.js';
import type { Context } from '../../context.js';
import { shellWord } from '../../../base/package/aisec-command.js';

export interface LossOptions {
  readonly yes: boolean;
  readonly confirm?: string;
}

/** ` Deletes:` and what, a line each; empty when no row is found. */
export function describeLosses(losses: readonly Loss[]): string {
  if (losses.length === 0) return '';
  const lines = losses.map(
    ({ object, rows, isMore }) =>
      `\n  ${object}: ${isMore ? 'more than ' : ''}${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'}`,
  );
  return ` Deletes:${lines.join('')}`;
}

/**
 * Asks before migrations are reverted: in production the database's name must be given; more than one migration, or one
 * that deletes rows, needs --yes or a typed name; exactly one that deletes none needs nothing elsewhere.
 *
 * @throws AisecError REFUSED.
 */
export async function confirmLoss(
  context: Context,
  plan: readonly string[],
  losses: readonly Loss[],
  databaseName: string,
  options: LossOptions,
): Promise<void> {
  const [first = ''] = plan;
  const what =
    plan.length === 1
      ? `Reverts ${first}.`
      : `Reverts ${plan.length} migrations, from ${first} back to ${plan.at(-1) ?? ''}.`;
  context.output.note(`${what}${describeLosses(losses)}`);
  if (isConfirmed(options.confirm, databaseName)) return;
  if (context.config.isProduction) {
    await context.prompt.confirmByTyping(
      'AISEC_ENV is production.',
      databaseName,
      `In production, give the database's name: --confirm ${shellWord(databaseName)}`,
    );
    return;
  }
  if ((plan.length === 1 && losses.length === 0) || options.yes) return;
  await context.prompt.confirmByTyping(
    losses.length === 0 ? 'More than one migration.' : 'Rows would be deleted.',
    databaseName,
    losses.length === 0
      ? 'Give --yes to revert more than one.'
      : 'Give --yes to delete these rows, or take a backup first: aisec backup',
  );
}
