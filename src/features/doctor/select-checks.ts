import { didYouMean } from '../../base/did-you-mean.js';
import { AisecError } from '../../base/errors.js';
import { ALL_CHECKS } from './all-checks.js';
import { AREAS, type Check } from './check.js';

/** The checks of the areas and ids that were named; all of them for an empty list. @throws AisecError USAGE. */
export function selectChecks(names: readonly string[]): readonly Check[] {
  const ids = ALL_CHECKS.map(({ id }) => id);
  for (const name of names) {
    if (ids.includes(name) || (AREAS as readonly string[]).includes(name)) continue;
    const near = didYouMean(name, [...AREAS, ...ids]);
    throw new AisecError('USAGE', `--only: there is no area and no check "${name}"`, {
      hint: near === undefined ? `Areas: ${AREAS.join(', ')}; checks: docs/doctor.md.` : `Did you mean "${near}"?`,
    });
  }
  return names.length === 0
    ? ALL_CHECKS
    : ALL_CHECKS.filter(({ id, area }) => names.includes(id) || names.includes(area));
}
