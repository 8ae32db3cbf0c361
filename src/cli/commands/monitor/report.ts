import { countText } from '../../../base/count.js';
import path from 'node:path';

import { formatBytes } from '../../../base/bytes.js';
import { AisecError } from '../../../base/errors.js';
import { SEVERITIES, type Finding } from '../../../base/finding.js';
import type { Verdicts } from '../../../features/monitor/page/report-data.js';
import type { Report } from '../../../features/monitor/report.js';
import { defineCommand } from '../../command.js';
import type { Context, Session } from '../../context.js';
import type { ExitCode } from '../../exit-codes.js';
import { SIZE_LIMIT_OPTION } from './size-limit-option.js';
import { THRESHOLDS_OPTION, thresholdsOf } from '../../thresholds.js';
import { countWithin, warnOfSkips } from './words.js';
import { migrateSettings } from '../../migrate-settings.js';

interface Options {
  readonly out?: string;
  readonly dryRun: boolean;
  readonly ahead: number;
  readonly sizeLimit?: number;
}

interface Written {
  readonly database: string;
  readonly schema: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly isDryRun: boolean;
  readonly findings: readonly Finding[];
  readonly skipped: Report['skipped'];
}

/** Sizes and names may be read by every holder of the file, so its owner decides who gets it. */
const OWNER_ONLY = 0o600;

/** Those of doctor, all of them; what its ignore file lists is left out, as there. */
async function checksOf(context: Context): Promise<(session: Session) => Promise<Verdicts>> {
  const { config, progress } = context;
  const [{ selectChecks }, { readDoctorIgnores }, { findRedisTarget }] = await Promise.all([
    import('../../../features/doctor/select-checks.js'),
    import('../../../features/doctor/ignore-file.js'),
    import('../../../config/redis-target.js'),
  ]);
  const { cwd, schema } = config;
  const migrations = await migrateSettings(context);
  const redis = findRedisTarget(config) ?? null;
  const [checks, ignores] = [selectChecks([]), readDoctorIgnores(undefined, cwd)];
  const thresholds = await thresholdsOf(context);
  return async (session) => {
    const { diagnose } = await import('../../../features/doctor/run.js');
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
      findings: diagnosis.findings.toSorted((one, other) => rank(one) - rank(other)).map(asFinding),
      skipped: diagnosis.skipped.map(asFinding),
    };
  };
}

/** Without what only doctor says of it. */
function asFinding({ id, severity, object, message, impact, fix }: Finding): Finding {
  return { id, severity, object, message, impact, fix };
}

function rank({ severity }: Finding): number {
  return SEVERITIES.indexOf(severity);
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const { config, output, progress } = context;
  if (options.out === undefined)
    throw new AisecError('USAGE', 'no file was given for the report', { hint: 'Give --out report.html.' });
  const file = path.resolve(config.cwd, options.out);
  const { requireWritable, writeReport } = await import('../../../features/monitor/report-file.js');
  await requireWritable(file);
  const judge = await checksOf(context);
  const data = await context.withDatabase({}, async (session) => {
    const verdicts = await judge(session);
    const { readReport } = await import('../../../features/monitor/report-page.js');
    const settings = { schema: config.schema, ahead: options.ahead, limitBytes: options.sizeLimit ?? null };
    return readReport(session, { ...settings, onStep: progress.report }, verdicts);
  });
  const { renderPage } = await import('../../../features/monitor/page/page.js');
  const page = renderPage(data);
  if (!options.dryRun) writeReport(file, page, OWNER_ONLY);
  const { findings, skipped } = data;
  const { database, schema } = data.tables;
  const written: Written = {
    database,
    schema,
    file,
    sizeBytes: Buffer.byteLength(page),
    isDryRun: options.dryRun,
    findings,
    skipped,
  };
  output.done(written, () => file);
  const count = countText(findings.length, 'finding');
  output.note(
    `${database}: report of ${formatBytes(written.sizeBytes)} ${options.dryRun ? 'not written (dry run)' : 'written'}, ${count}.`,
  );
  // They are on the page; a job that is well has nothing to mail.
  if (!output.options.isQuiet) warnOfSkips(output, skipped);
  return undefined;
}

export const monitorReport = defineCommand<Options>({
  name: 'monitor report',
  summary: 'write one HTML page about the database',
  description:
    'Writes one page that opens without a network: what `doctor` finds, with what fixes it, the size of every table, the months of messages as a timeline, growth with a forecast, the ' +
    'use of indexes, what vacuum has to do, and who waits for a lock. Light and dark, for a phone and for paper; it has no script. The file is replaced whole and can be read by its owner only. Reads only, and waits 200 ms ' +
    'for a lock at most; what could not be looked at is on the page with the reason.',
  options: [
    { flags: '--out <file>', description: 'the HTML file to write' },
    { flags: '--dry-run', description: 'read everything; write no file', default: false },
    {
      flags: '--ahead <n>',
      description: 'months after the current one to foretell, 1 to 60',
      default: '12',
      parse: countWithin(1, 60),
    },
    SIZE_LIMIT_OPTION,
    THRESHOLDS_OPTION,
  ],
  examples: [
    ['aisec monitor report --out report.html', 'Write the page, then open it in a browser'],
    ['aisec monitor report --out report.html --size-limit 500GB', 'With the month in which the disk will be full'],
  ],
  run,
});
