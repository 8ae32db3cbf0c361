import { AisecError } from '../../../base/errors.js';
import type { Context } from '../../context.js';

export interface LossOptions {
  readonly yes: boolean;
  readonly confirm?: string;
}

/**
 * Asks before migrations are reverted, since tables go with their rows: in production the database's name must be
 * given, more than one migration needs --yes or a typed name, and exactly one elsewhere needs nothing.
 *
 * @throws AisecError REFUSED.
 */
export async function confirmLoss(
  context: Context,
  plan: readonly string[],
  databaseName: string,
  options: LossOptions,
): Promise<void> {
  const [first = ''] = plan;
  const what =
    plan.length === 1
      ? `Reverts ${first}.`
      : `Reverts ${plan.length} migrations, from ${first} back to ${plan.at(-1) ?? ''}.`;
  context.output.note(`${what} Tables they created go with their rows.`);
  if (options.confirm === databaseName) return;
  if (options.confirm !== undefined) {
    throw new AisecError('REFUSED', `--confirm ${options.confirm} is not the name of the database`, {
      hint: `It is "${databaseName}". Nothing was changed.`,
    });
  }
  if (context.config.isProduction) {
    await context.prompt.confirmByTyping(
      'AISEC_ENV is production.',
      databaseName,
      `In production, give the database's name: --confirm ${databaseName}`,
    );
    return;
  }
  if (plan.length === 1 || options.yes) return;
  await context.prompt.confirmByTyping('More than one migration.', databaseName, 'Give --yes to revert more than one.');
}
