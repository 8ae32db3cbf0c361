import { didYouMean } from '../../../base/did-you-mean.js';
import { AisecError } from '../../../base/errors.js';
import { ALL_RULES } from './all-rules.js';
import type { Rule } from './rule.js';

/** @throws AisecError USAGE for a rule that there is not, with the nearest name. */
function refuseUnknown(names: readonly string[], option: string): void {
  const known = ALL_RULES.map(({ id }) => id);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = didYouMean(unknown, known);
  throw new AisecError('USAGE', `${option}: there is no rule "${unknown}"`, {
    hint: near === undefined ? 'docs/lint.md lists the rules.' : `Did you mean "${near}"?`,
  });
}

/**
 * The rules that run: those that are named, or all but the optional ones, without those that are excluded.
 *
 * @throws AisecError USAGE for an unknown name, or when nothing is left.
 */
export function selectRules(named: readonly string[], excluded: readonly string[]): readonly Rule[] {
  refuseUnknown(named, '--rule');
  refuseUnknown(excluded, '--exclude');
  const wanted = ALL_RULES.filter(({ id, isOptional }) =>
    named.length > 0 ? named.includes(id) : isOptional !== true,
  );
  const rules = wanted.filter(({ id }) => !excluded.includes(id));
  if (rules.length > 0) return rules;
  throw new AisecError('USAGE', '--rule and --exclude leave no rule', { hint: 'docs/lint.md lists the rules.' });
}
