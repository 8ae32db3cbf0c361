import { basename, resolve } from 'node:path';

import { formatDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { DatabaseRestoreResult } from '../../../features/backup/restore.js';
import type { BesideRestoreResult } from '../../../features/backup/restore-beside.js';
import type { RowsRestoreResult } from '../../../features/backup/restore-rows.js';
import type { TableRestoreResult } from '../../../features/backup/restore-table.js';
import type { DatabaseLocale } from '../../../features/backup/server/create-database.js';
import type { RoleSource } from '../../../features/backup/restore/preflight.js';
import { PLACE_OPTIONS } from '../../backup-place.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { confirmDatabase } from '../../terminal/confirm-database.js';
import { choiceOption, IDENTITY_OPTION, RESTORE_JOBS_OPTION, WAIT_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import { runBeside } from './beside.js';
import type { Outcome } from './outcome.js';
import { erasuresOf, givenBackup, latestGiven, sourceOf } from './source.js';
import { erasureWarnings, erasedAgainText } from './erased-again.js';
import { rowsWanted, runRows } from './rows.js';
import { monthOption, rowsOption } from './rows-option.js';
import { runTable } from './table.js';
import { tableOption } from '../../table-name.js';
import { checkUsage, LONGEST_NAME_BYTES, type Options } from './usage.js';
import { shellWord } from '../../../base/package/aisec-command.js';

const DANGLING_RULES: readonly NonNullable<Options['dangling']>[] = ['refuse', 'leave-out', 'not-valid', 'set-null'];
const EXISTING_RULES: readonly NonNullable<Options['existing']>[] = ['refuse', 'keep', 'overwrite'];

function ruleOption(rules: readonly string[]): (text: string) => string {
  return choiceOption(rules, 'rule', { expected: `, expected ${rules.join(', ')}`, hint: 'See: aisec restore --help' });
}

/** Reads `C.UTF-8`, `libc:ja_JP.UTF-8`, `icu:ja-JP`, `builtin:C.UTF-8`. @throws AisecError USAGE. */
function localeOption(text: string): DatabaseLocale {
  const [, provider = 'libc', name] = /^(?:(libc|icu|builtin):)?([\w.@=-]+)$/.exec(text) ?? [];
  if (name !== undefined) return { provider: provider as DatabaseLocale['provider'], name };
  throw new AisecError('USAGE', `invalid locale "${text}"`, {
    hint: 'Give a name, with its provider when that is not libc: C.UTF-8, icu:ja-JP, builtin:C.UTF-8.',
  });
}

async function confirmReplace(
  context: Context,
  database: string,
  steps: readonly string[],
  given: string | undefined,
): Promise<void> {
  for (const step of steps) context.output.note(`- ${step}`);
  const question = `What was written to "${database}" since the backup is in the kept database only.`;
  await confirmDatabase(context, given, database, question);
}

function renderDatabase(result: DatabaseRestoreResult): string {
  return result.isDryRun ? result.steps.map((step) => `- ${step}`).join('\n') : '';
}

/** What only a server has. @throws AisecError USAGE. */
function refuseServerOptions(options: Options): void {
  const given = [
    ['--globals', options.globals],
    ['--create-roles', options.createRoles],
    ['--no-owner', !options.owner],
    ['--no-privileges', !options.privileges],
    ['--terminate', options.terminate],
    ['--locale', options.locale !== undefined],
  ].find(([, isGiven]) => isGiven === true);
  if (given !== undefined)
    throw new AisecError('USAGE', `${String(given[0])} is for a server, and none is configured`, {
      hint: 'The embedded database has its roles in the backup. Leave it out, or set DATABASE_URL.',
    });
}

async function runEmbedded(
  context: Context,
  access: NonNullable<Awaited<ReturnType<Context['embeddedAccess']>>>,
  options: Options,
  argument: string,
): Promise<DatabaseRestoreResult> {
  refuseServerOptions(options);
  const { restoreEmbedded } = await import('../../../features/backup/restore-embedded.js');
  const dataDir = options.create === undefined ? access.dataDir : resolve(context.config.cwd, options.create);
  const settings = {
    mode: options.replace ? 'replace' : 'create',
    erasures: await erasuresOf(context, options),
    dataDir,
    withoutManifest: options.withoutManifest,
    source: sourceOf(context, options),
    waitMs: options.wait,
    isDryRun: options.dryRun,
  } as const;
  return restoreEmbedded(
    access,
    await givenBackup(context, argument, options),
    settings,
    (steps) => confirmReplace(context, basename(dataDir), steps, options.confirm),
    reportingTo(context),
  );
}

async function runDatabase(
  context: Context,
  options: Options,
  argument: string,
): Promise<Outcome<DatabaseRestoreResult>> {
  const embedded = await context.embeddedAccess({ timeoutMs: 0, waitMs: options.wait });
  const result =
    embedded === undefined
      ? await runServer(context, options, argument)
      : await runEmbedded(context, embedded, options, argument);
  const { erasedAgain } = result;
  return {
    result: { ...result, warnings: [...result.warnings, ...erasureWarnings(erasedAgain)] },
    text: renderDatabase(result),
    notes: [...erasedAgainText(erasedAgain), summary(result, options, embedded?.dataDir)],
    isIncomplete: (erasedAgain?.blocked.length ?? 0) > 0,
  };
}

async function runServer(context: Context, options: Options, argument: string): Promise<DatabaseRestoreResult> {
  if (options.create !== undefined && Buffer.byteLength(options.create) > LONGEST_NAME_BYTES)
    throw new AisecError('USAGE', `--create: invalid database name "${options.create}"`, {
      hint: 'A name has 1 to 63 bytes.',
    });
  const access = await context.serverAccess();
  const { restoreDatabase } = await import('../../../features/backup/restore.js');
  const target = options.create ?? access.databaseName;
  const roles: RoleSource = options.globals ? 'globals' : options.createRoles ? 'bare' : 'none';
  const settings = {
    mode: options.replace ? 'replace' : 'create',
    erasures: await erasuresOf(context, options),
    withoutManifest: options.withoutManifest,
    source: sourceOf(context, options),
    target,
    roles,
    withoutOwners: !options.owner,
    withoutPrivileges: !options.privileges,
    terminates: options.terminate,
    locale: options.locale,
    ...(options.jobs !== undefined && { jobs: options.jobs }),
    waitMs: options.wait,
    isDryRun: options.dryRun,
  } as const;
  return restoreDatabase(
    access,
    await givenBackup(context, argument, options),
    settings,
    (steps) => confirmReplace(context, target, steps, options.confirm),
    reportingTo(context),
  );
}

/** `configuredDir`: of the embedded database, where no server is configured. */
function summary(
  result: DatabaseRestoreResult,
  { withoutManifest }: Options,
  configuredDir: string | undefined,
): string {
  if (result.isDryRun) return 'dry run; no changes were made.';
  const counts =
    withoutManifest && result.tables === 0
      ? 'its rows were not compared with a manifest'
      : `${result.tables} tables with ${result.rows} rows, as the manifest has them`;
  const done = `database "${result.database}" restored in ${formatDurationMs(result.durationMs)}: ${counts}.`;
  if (configuredDir !== undefined && result.before === null)
    return result.database === configuredDir ? done : `${done} To use it: AISEC_DATA_DIR=${shellWord(result.database)}`;
  if (result.before === null) return done;
  const drop =
    configuredDir === undefined
      ? `drop database ${quoteIdentifier(result.before)};`
      : `rm -r ${shellWord(result.before)}`;
  return `${done} The old one is kept as "${result.before}"; when it is not needed any more: ${drop}`;
}

type AnyResult = DatabaseRestoreResult | TableRestoreResult | BesideRestoreResult | RowsRestoreResult;

async function restored(context: Context, options: Options, argument: string): Promise<Outcome<AnyResult>> {
  const { table, as } = options;
  const wanted = rowsWanted(options, context.config.schema);
  if (wanted !== undefined) return runRows(context, options, argument, wanted);
  if (table === undefined) return runDatabase(context, options, argument);
  if (as === undefined) return runTable(context, options, argument, table);
  return runBeside(context, options, argument, { table, as });
}

async function run(context: Context, options: Options, argument: string): Promise<ExitCode | undefined> {
  const { output } = context;
  checkUsage(options, argument);
  const given = options.latest ? await latestGiven(context, options) : argument;
  const { result, text, notes, isIncomplete } = await restored(context, options, given);
  output.done(result, () => text);
  for (const warning of result.warnings) output.warning(warning);
  for (const note of notes) output.note(note);
  return isIncomplete === true ? 3 : undefined;
}

export const restore = defineCommand<Options>({
  name: 'restore',
  summary: 'bring a backup back, whole, a table or some rows of it',
  description:
    'Restores a backup. Its checksum is compared with the manifest first (FILE.json), and everything the server lacks (roles, extensions, space) is named at once, before anything is touched. ' +
    'It works in a database of its own, aisec_restoring_NAME, which gets its name only when rows and catalog were compared; killed at any moment, nothing half-restored has the final name. ' +
    'A database that is replaced is kept. Without a server, a backup of the embedded database is restored into a directory.',
  argument: {
    syntax: '[file]',
    description:
      'a backup: a path, a name in the directory or, with --store, in the store, or s3://bucket/directory/NAME.dump; encrypted ones end in .age',
  },
  options: [
    {
      flags: '--latest',
      description: 'the newest verified backup of the configured database, in the directory or the store; says which',
    },
    ...PLACE_OPTIONS,
    { flags: '--create <name>', description: 'restore into a new database; of the embedded one: the new directory' },
    { flags: '--replace', description: 'restore beside the configured database, then swap the two' },
    { flags: '--table <name>', description: 'restore one table into the configured database', parse: tableOption },
    {
      flags: '--as <name>',
      description: 'with --table: beside the present one, under this name; nothing that is there is changed',
      parse: tableOption,
    },
    {
      flags: '--rows <text>',
      description: 'restore rows, with all that refers to them, into the tables that are there: TABLE where CONDITION',
      parse: rowsOption,
    },
    { flags: '--user <name>', description: 'the same of a user, by username, email or id' },
    {
      flags: '--month <month>',
      description: 'restore the messages of a month, live or archived, that are missing',
      parse: monthOption,
    },
    {
      flags: '--existing <rule>',
      description: 'rows that are there with other values: refuse (default), keep, or overwrite',
      parse: ruleOption(EXISTING_RULES),
      values: EXISTING_RULES,
    },
    { flags: '--globals', description: 'create missing roles and memberships as they were' },
    { flags: '--create-roles', description: 'create missing roles without login' },
    { flags: '--no-owner', description: 'leave owners out: everything belongs to the role that restores' },
    { flags: '--no-privileges', description: 'leave grants out' },
    {
      flags: '--dangling <rule>',
      description:
        'rows that refer to rows which are gone: refuse (default); leave-out; with --table not-valid, to keep them and make the key NOT VALID; with rows set-null, to restore them without the reference',
      parse: ruleOption(DANGLING_RULES),
      values: DANGLING_RULES,
    },
    {
      flags: '--locale <locale>',
      description: 'of the new database, on a server without that of the backup: C.UTF-8, icu:ja-JP, builtin:C.UTF-8',
      parse: localeOption,
    },
    { flags: '--terminate', description: 'with --replace: end the sessions of others at the swap' },
    { flags: '--confirm <database>', description: 'with --replace: the name of the database, instead of typing it' },
    {
      flags: '--without-manifest',
      description: 'take an archive that has none: it is read whole first, and rows are not compared',
    },
    IDENTITY_OPTION,
    RESTORE_JOBS_OPTION,
    { flags: '--dry-run', description: 'check everything and show the plan' },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec restore FILE --create app_check', 'Restore it beside the live database'],
    ['aisec restore --latest --store s3://backups/prod --replace --dry-run', 'What would the newest copy bring back?'],
    ['aisec restore FILE --create app --globals', 'On an empty server: roles first, then the database'],
    ['aisec restore s3://backups/prod/NAME.dump.age --identity key.txt --create app', 'From a store, decrypted'],
    ['aisec restore FILE --replace --terminate', 'Go back to the backup; the present database is kept'],
    ['aisec restore NAME.pgdata.tgz --create .aisec/pgdata', 'The embedded database, where there is none'],
    ['aisec restore FILE --table messages', 'Bring a dropped table back with its policies and partitions'],
    ['aisec restore FILE --user alice --dry-run', 'How much of a user is missing? Without --dry-run, bring it back'],
    ['aisec restore FILE --month 2026-08', 'The messages of a month that was dropped'],
    ['aisec restore FILE --table users --as users_backup', 'The rows of the backup beside the present ones'],
  ],
  run,
});
