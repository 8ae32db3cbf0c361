import { bySeverity, type Finding } from '../../../../base/finding.js';
import type { ReportData, Verdicts } from '../../../../features/monitor/page/report-data.js';
import type { Context, OptionSpec, Session } from '../../../command.js';
import { migrateSettings } from '../../../migrate-settings.js';
import { THRESHOLDS_OPTION, thresholdsOf } from '../../../thresholds.js';
import { SIZE_LIMIT_OPTION } from '../size-limit-option.js';
import { countWithin } from '../words.js';

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
    parse: countWithin(1, 60),
  },
  SIZE_LIMIT_OPTION,
  THRESHOLDS_OPTION,
];

/** Without what only doctor says of it. */
function asFinding({ id, severity, object, message, impact, fix }: Finding): Finding {
  return { id, severity, object, message, impact, fix };
}

/** Those of doctor, all of them; what its ignore file lists is left out, as there. */
async function checksOf(context: Context): Promise<(session: Session) => Promise<Verdicts>> {
  const { config, progress } = context;
  const [{ selectChecks }, { readDoctorIgnores }, { findRedisTarget }] = await Promise.all([
    import('../../../../features/doctor/select-checks.js'),
    import('../../../../features/doctor/ignore-file.js'),
    import('../../../../config/redis-target.js'),
  ]);
  const { cwd, schema } = config;
  const migrations = await migrateSettings(context);
  const redis = findRedisTarget(config) ?? null;
  const [checks, ignores] = [selectChecks([]), readDoctorIgnores(undefined, cwd)];
  const thresholds = await thresholdsOf(context);
  return async (session) => {
    const { diagnose } = await import('../../../../features/doctor/run.js');
    const diagnosis = await diagnose(session, {
      schema,
      checks,
      migrations,
      backupDirectory: config.backupDir,
      thresholds,
      redis,
      ignores,
      onStep: progress.report,
    });
    return {
      findings: diagnosis.findings.toSorted(bySeverity).map(asFinding),
      skipped: diagnosis.skipped.map(asFinding),
    };
  };
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
  const judge = await checksOf(context);
  const { config, progress } = context;
  const settings = { schema: config.schema, ahead: options.ahead, limitBytes: options.sizeLimit ?? null };
  return async (session) => {
    const verdicts = await judge(session);
    const { readReport } = await import('../../../../features/monitor/report-page.js');
    return readReport(session, { ...settings, onStep: progress.report }, verdicts);
  };
}
