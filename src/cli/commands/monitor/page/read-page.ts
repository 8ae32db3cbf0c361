import { bySeverity, type Finding } from '../../../../base/finding.js';
import type { ReportData } from '../../../../features/monitor/page/report-data.js';
import type { Context, OptionSpec, Session } from '../../../command.js';
import { diagnoser } from '../../../diagnose.js';
import { countOption } from '../../../options.js';
import { THRESHOLDS_OPTION } from '../../../thresholds.js';
import { SIZE_LIMIT_OPTION } from '../size-limit-option.js';

export interface PageOptions {
  readonly ahead: number;
  readonly sizeLimit?: number;
}

/** Of every command that shows the page. */
export const PAGE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--ahead <n>',
    description: 'months after the current one to forecast, 1 to 60',
    default: '12',
    parse: countOption(1, 60),
  },
  SIZE_LIMIT_OPTION,
  THRESHOLDS_OPTION,
];

/** Without what only doctor says of it. */
function asFinding({ id, severity, object, message, impact, fix }: Finding): Finding {
  return { id, severity, object, message, impact, fix };
}

/**
 * What reads the page on a session, as often as it is called.
 *
 * @throws AisecError for settings that cannot be used, before anything is opened.
 */
export async function pageReader(
  context: Context,
  options: PageOptions,
): Promise<(session: Session) => Promise<ReportData>> {
  const { config, progress } = context;
  // What the ignore file of doctor lists is left out, as there.
  const diagnose = await diagnoser(context, { only: [], onStep: progress.report });
  const settings = { schema: config.schema, ahead: options.ahead, limitBytes: options.sizeLimit ?? null };
  return async (session) => {
    const { findings, skipped } = await diagnose(session);
    const verdicts = { findings: findings.toSorted(bySeverity).map(asFinding), skipped: skipped.map(asFinding) };
    const { readReport } = await import('../../../../features/monitor/report-page.js');
    return readReport(session, { ...settings, onStep: progress.report }, verdicts);
  };
}
