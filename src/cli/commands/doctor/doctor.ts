import path from 'node:path';

import { listed } from '../../../base/count.js';
import { AisecError, messageOf } from '../../../base/errors.js';
import type { Severity } from '../../../features/doctor/check.js';
import { isOfDatabase } from '../../../features/doctor/of-database.js';
import type { Diagnosis } from '../../../features/doctor/run.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { diagnoser } from '../../diagnose.js';
import { choiceOption, listOption } from '../../options.js';
import { PLUGIN_CODES } from '../../terminal/plugin.js';
import { THRESHOLDS_OPTION } from '../../thresholds.js';
import { diagnosisLine, wordOf } from './nagios.js';
import { goodLines, renderChecks, type CheckList } from './list.js';
import { countsText, renderDiagnosis, summary } from './render.js';

interface Options {
  readonly only: readonly string[];
  readonly failOn: Exclude<Severity, 'notice'>;
  readonly strict: boolean;
  readonly nagios: boolean;
  readonly ignoreFile?: string;
  readonly explain: boolean;
  readonly history?: string;
  readonly notify: boolean;
  readonly list: boolean;
}

async function diagnoseNow(context: Context, options: Options, onStep?: (text: string) => void): Promise<Diagnosis> {
  const { only, ignoreFile, explain: isTiming } = options;
  const isOneOfSeveral = !context.isFirstSchema;
  const diagnose = await diagnoser(context, { only, ignoreFile, isTiming, isOneOfSeveral, ...(onStep && { onStep }) });
  return context.withDatabase({}, diagnose);
}

async function runAsPlugin(context: Context, options: Options): Promise<ExitCode> {
  // No progress: some monitoring programs take stderr for a part of the line.
  const diagnosis = await diagnoseNow(context, options);
  context.output.text(diagnosisLine(diagnosis, options.strict));
  return PLUGIN_CODES[wordOf(diagnosis, options.strict)];
}

function isFailure({ counts }: Diagnosis, { failOn, strict }: Options): boolean {
  // A run that saw nothing has found nothing out, which is not the same as nothing found.
  if (counts.skipped > 0 && (strict || counts.checks === 0)) return true;
  return counts.critical > 0 || (failOn === 'warning' && counts.warning > 0);
}

/** For a job, whose output is mailed: what makes it fail, and nothing when it does not. */
function pressing(diagnosis: Diagnosis, { failOn, strict }: Options): Diagnosis {
  const isShown = (severity: string): boolean =>
    severity === 'critical' || (failOn === 'warning' && severity === 'warning');
  return {
    ...diagnosis,
    findings: diagnosis.findings.filter(({ severity }) => isShown(severity)),
    skipped: strict || diagnosis.counts.checks === 0 ? diagnosis.skipped : [],
  };
}

async function listChecks({ output }: Context, { only, nagios }: Options): Promise<undefined> {
  if (nagios) throw new AisecError('USAGE', 'give --list or --nagios, not both', { hint: 'See --help.' });
  const { selectChecks } = await import('../../../features/doctor/select-checks.js');
  const checks = selectChecks(only).map(({ id, area, severity, title }) => ({ id, area, severity, title }));
  const list: CheckList = { checks };
  output.result(list, renderChecks);
  return undefined;
}

/** The history is kept only when what changed has arrived, so that the next run sends it again. */
async function followUp(
  { config, output }: Context,
  options: Options,
  diagnosis: Diagnosis,
  address: URL | undefined,
): Promise<AisecError | undefined> {
  if (options.history === undefined) return undefined;
  const [{ compareWithHistory }, { selectChecks }] = await Promise.all([
    import('../../../features/doctor/history.js'),
    import('../../../features/doctor/select-checks.js'),
  ]);
  const file = path.resolve(config.cwd, options.history);
  const { changes, keep } = compareWithHistory(
    file,
    diagnosis,
    selectChecks(options.only).map(({ id }) => id),
  );
  for (const { id, severity } of changes.added) output.note(`new: ${severity} ${id}`);
  for (const { id, since } of changes.gone) output.note(`gone: ${id}, found since ${since}`);
  const { notify, worthSending } = await import('../../../features/doctor/notify.js');
  const sent = worthSending(changes, options.failOn);
  if (address !== undefined && sent.added.length + sent.gone.length > 0) {
    const why = await notify(address, diagnosis, sent);
    if (why !== undefined)
      return new AisecError('NOTIFY_FAILED', `could not send what changed to ${why}`, {
        hint: 'Check AISEC_NOTIFY_URL; the next run sends it again.',
      });
  }
  try {
    keep();
  } catch (error) {
    // What was found is to be printed all the same.
    return new AisecError('CONFIG_INVALID', `could not write the history ${file}`, {
      detail: `${messageOf(error)}.`,
      hint: 'Make its directory writable, or name another file. Until then the next run sends the same again.',
      cause: error,
    });
  }
  return undefined;
}

/** The findings by their names: what is the same in all schemas is one line for them all. Those of the database stand apart. */
function countsAndIds({ counts, findings }: Diagnosis): string {
  const shown = findings.filter(({ severity }) => severity !== 'notice');
  const ids = (wanted: boolean): readonly string[] =>
    shown.filter(({ check, area }) => isOfDatabase({ id: check, area }) === wanted).map(({ id }) => id);
  const [own, common] = [ids(false), ids(true)];
  const parts = [
    ...(own.length === 0 ? [] : [listed(own)]),
    ...(common.length === 0 ? [] : [`of the database: ${listed(common)}`]),
  ];
  return parts.length === 0 ? countsText(counts) : `${countsText(counts)}: ${parts.join('; ')}`;
}

async function run(context: Context, options: Options): Promise<ExitCode | undefined> {
  const { output } = context;
  if (options.list) return listChecks(context, options);
  if (options.nagios) {
    if (output.options.isJson)
      throw new AisecError('USAGE', 'give --nagios or --json, not both', { hint: 'See --help.' });
    return runAsPlugin(context, options);
  }
  if (options.notify && options.history === undefined)
    throw new AisecError('USAGE', '--notify needs --history, to know what is new', { hint: 'Give --history FILE.' });
  const { notifyAddress } = await import('../../../features/doctor/notify.js');
  const address = options.notify ? notifyAddress(context.config) : undefined;
  const diagnosis = await diagnoseNow(context, options, context.progress.report);
  const failure = await followUp(context, options, diagnosis, address);
  output.result(diagnosis, (data, renderer) =>
    renderDiagnosis(output.options.isQuiet ? pressing(data, options) : data, renderer),
  );
  for (const { id, problem } of diagnosis.ignoreProblems) output.warning(`ignore file: ${id}: ${problem}`);
  const { selectChecks } = await import('../../../features/doctor/select-checks.js');
  for (const line of goodLines(selectChecks(options.only), diagnosis)) output.detail(line);
  output.note(summary(diagnosis));
  if (failure !== undefined) throw failure;
  return isFailure(diagnosis, options) ? 3 : undefined;
}

export const doctor = defineCommand<Options>({
  name: 'doctor',
  summary: 'report what is wrong with the database, and what fixes it',
  description:
    'Looks at what stops the server now, security, partitions, the archive, migrations, indexes, vectors, wraparound, replication, sequences, settings, backups and Redis. Reads only, on one connection, and ' +
    'never waits more than 200 ms for a lock. What it may not see is skipped, never called well, and comes with the GRANT that would allow it. ' +
    'Findings are ignored by id, with a reason and a last day, in .aisec-doctor.json. --list prints the checks, and --verbose which of them found nothing.',
  options: [
    {
      flags: '--only <list>',
      description: 'areas or checks, with commas: security,vectors or rls-off',
      default: '',
      parse: listOption,
    },
    {
      flags: '--fail-on <level>',
      description: 'exit 3 on findings from this level on: warning or critical',
      default: 'warning',
      parse: choiceOption(['warning', 'critical'], 'level', {
        expected: ', expected warning or critical',
        hint: 'See --help.',
      }),
      values: ['warning', 'critical'],
    },
    {
      flags: '--list',
      description: 'print the checks, of --only if it is given, and look at nothing',
      isForOneSchema: true,
    },
    { flags: '--strict', description: 'exit 3 when a check was skipped, too' },
    {
      flags: '--nagios',
      description: 'one line with perfdata, and exit 0 ok, 1 warning, 2 critical, 3 unknown',
      isForOneSchema: true,
    },
    THRESHOLDS_OPTION,
    {
      flags: '--explain',
      description: 'time costly policies on up to 10,000 rows, as they are and fixed; it calls their functions',
    },
    {
      flags: '--history <file>',
      description: 'compare with the run before, whose findings are in that file, and keep those of this run there',
      isForOneSchema: true,
    },
    {
      flags: '--notify',
      description:
        'send what is new and gone, from --fail-on on, to the webhook in AISEC_NOTIFY_URL (or in the file AISEC_NOTIFY_URL_FILE); needs --history',
      isForOneSchema: true,
    },
    { flags: '--ignore-file <file>', description: 'findings to ignore (default: .aisec-doctor.json, if it is there)' },
  ],
  acrossSchemas: countsAndIds,
  examples: [
    ['aisec doctor', 'Show what is wrong, the worst first, each with the SQL that fixes it'],
    ['aisec doctor --only security --fail-on critical --quiet', 'For a pipeline: exit 3 on a hole'],
    ['aisec doctor --list --only vacuum', 'What the checks of an area look for'],
    ['aisec doctor --role monitoring', 'What a role for monitoring would not see, with the GRANT for it'],
    ['aisec doctor --only policy-cost --explain', 'What each costly policy costs, and what it would'],
    [
      'aisec doctor --history /var/lib/aisec/doctor.json --notify --quiet',
      'For a job: one message when something changes, and none when nothing does',
    ],
    ['aisec doctor --nagios', 'As a plugin of Nagios, Icinga or the like'],
    [
      'aisec doctor --only live,replication --thresholds transaction=10min:1h',
      'What stops the server now, with limits of your own',
    ],
  ],
  isPaged: true,
  run,
});
