import type { Circumstances } from './inspection/circumstances.js';
import type { Skip } from './inspection/skip.js';

/**
 * What every report of monitor has beside its rows. A report that could not be made at all has null for rows and says why
 * in `skipped`; an empty list means that there is nothing.
 */
export interface Report extends Circumstances {
  readonly skipped: readonly Skip[];
}
