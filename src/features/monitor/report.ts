import type { Finding } from '../../base/finding.js';
import type { ReportHeader } from './inspection/report-header.js';

/**
 * What every report of monitor has beside its rows. A report that could not be made at all has null for rows and says why
 * in `skipped`; an empty list means that there is nothing.
 */
export interface Report extends ReportHeader {
  readonly skipped: readonly Finding[];
}
