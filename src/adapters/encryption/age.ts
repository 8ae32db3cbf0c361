import type * as Age from 'age-encryption';

import { loadOptional } from '../../base/package/optional-package.js';

/** @throws AisecError PACKAGE_MISSING. */
export function loadAge(): Promise<typeof Age> {
  return loadOptional('age-encryption', 'encryption', () => import('age-encryption'));
}
