import { resolve } from 'node:path';

import { countText, formatCount } from '../../../base/count.js';
import { formatDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import type { SubsetOptions, SubsetResult, WithTarget } from '../../../features/subset/subset.js';
import { defineCommand, type Context } from '../../command.js';
import { tableOption } from '../../table-name.js';
import { migrateSettings } from '../../migrate-settings.js';
import { countOption, listOption, WAIT_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import { confirmDatabase } from '../../terminal/confirm-database.js';
import type { Renderer } from '../../terminal/output.js';
import { SOURCE_OPTIONS, withSource, type SourceOptions } from './source.js';
import { shellWord } from '../../../base/package/aisec-command.js';

interface Options extends SourceOptions {
  readonly users?: number;
  readonly where?: string;
  readonly seed: string;
  readonly without?: readonly string[];
  readonly out?: string;
  readonly intoUrl?: string;
  readonly mask: boolean;
  readonly unmasked: boolean;
  readonly confirm?: string;
  readonly dryRun: boolean;
}

function usage(message: string, hint: string): never {
  throw new AisecError('USAGE', message, { hint });
}

function wantedOf({ users, where, seed }: Options): SubsetOptions['wanted'] {
  if (users !== undefined && where !== undefined)
    usage('--users and --where cannot be used together', 'Give the number of users, or a condition on users.');
  if (users !== undefined) return { count: users, seed };
  if (where === undefined || where.trim() === '')
    usage('it is not said which users', `Such as: --users 20, or --where "email like '%@example.com'"`);
  return { condition: where };
}

function checkTarget({ out, intoUrl, dryRun, mask, unmasked }: Options): void {
  if (out !== undefined && intoUrl !== undefined)
    usage('--out and --into-url cannot be used together', 'The rows are written to one place.');
  if (out === undefined && intoUrl === undefined && !dryRun)
    usage('it is not said where to', 'Give --out DIRECTORY, or --into-url postgres://host/database');
  if (mask && unmasked) usage('--mask and --unmasked cannot be used together', 'Give one of them.');
  if (!mask && !unmasked)
    usage(
      'it is not said whether the rows are masked',
      'Give --mask; or --unmasked for a copy of personal data as it is.',
    );
}

function targetOf(context: Context, { out, intoUrl = '' }: Options): WithTarget {
  const place =
    out === undefined ? { url: intoUrl, flag: '--into-url' } : { newDirectory: resolve(context.config.cwd, out) };
  return (use) => context.withOther(place, use);
}

function tablesWithout(context: Context, { without = [] }: Options): SubsetOptions['without'] {
  return without.map((text) => {
    const { schema = context.config.schema, name } = tableOption(text);
    return { schema, table: name };
  });
}

function renderSubset({ tables }: SubsetResult, { table }: Renderer): string {
  return table(tables, [
    { title: 'table', value: (row) => row.table },
    { title: 'rows', value: (row) => formatCount(row.rows), align: 'right' },
  ]);
}

function printNotes({ output, config }: Context, result: SubsetResult, options: Options): void {
  const { database, target, users, rows, isDryRun, isMasked, check, durationMs } = result;
  const what = `${countText(users, 'user')} with ${formatCount(rows)} rows`;
  if (isDryRun) output.note(`${database}: dry run, nothing written; ${what} would be.`);
  else output.note(`${database}: ${what} copied to ${target ?? ''} in ${formatDurationMs(durationMs)}.`);
  if (check !== null)
    output.note(
      `Checked ${formatCount(check.texts)} texts of the result: none has one of ${formatCount(check.emails)} e-mail addresses, ${formatCount(check.names)} names and ${formatCount(check.runs)} runs of 12 characters of the originals.`,
    );
  if (isMasked && !isDryRun && config.maskKey === undefined)
    output.note('Masked by a random key: another run gives other masks. Set AISEC_MASK_KEY for the same ones.');
  if (options.out !== undefined && !isDryRun)
    output.note(`Open it: AISEC_DATA_DIR=${shellWord(options.out)} aisec doctor`);
}

async function confirmUnmasked(context: Context, options: Options, database: string): Promise<void> {
  if (!options.unmasked || options.dryRun) return;
  await confirmDatabase(context, options.confirm, database, 'The copy holds personal data as it is.');
}

async function run(context: Context, options: Options): Promise<void> {
  const wanted = wantedOf(options);
  checkTarget(options);
  const { config, output } = context;
  const migrations = await migrateSettings(context);
  const result = await withSource(context, options, async (session) => {
    await confirmUnmasked(context, options, session.info.databaseName);
    const { makeSubset } = await import('../../../features/subset/subset.js');
    const settings: SubsetOptions = {
      migrations,
      wanted,
      without: tablesWithout(context, options),
      isMasked: options.mask,
      maskKey: config.maskKey,
      password: config.subsetPassword,
      isDryRun: options.dryRun,
      waitMs: options.wait,
    };
    return makeSubset(session, targetOf(context, options), settings, reportingTo(context));
  });
  output.done(result, renderSubset);
  printNotes(context, result, options);
}

export const subset = defineCommand<Options>({
  name: 'subset',
  summary: 'copy some users with all that belongs to them, masked, for development',
  description:
    'Copies users with all rows that belong to them, live and archived, and what those rows refer to, into a new embedded database or an empty database of a server. ' +
    'With --mask every value is masked by the class of personal data that the comment of its column declares (pii: email): lengths, scripts, uniqueness and joins stay. A text column without a class is refused, with the statement that declares one. ' +
    'At the end the result is looked through for e-mail addresses, names and runs of 12 characters of the originals; where one is found, the result is deleted. ' +
    'Reads in one MVCC snapshot, so that nothing waits for it; the target is written in one transaction.',
  options: [
    { flags: '--users <n>', description: 'so many users, chosen by --seed', parse: countOption(1) },
    { flags: '--where <condition>', description: 'the users that meet an SQL condition on users' },
    { flags: '--seed <text>', description: 'what the choice is made from; another one gives others', default: '1' },
    { flags: '--without <tables>', description: 'tables to leave out, with commas', parse: listOption },
    { flags: '--out <dir>', description: 'directory of a new embedded database' },
    {
      flags: '--into-url <url>',
      description: 'database of a server, empty or migrated and without rows (the URL may not carry a password)',
    },
    { flags: '--mask', description: 'mask personal data' },
    { flags: '--unmasked', description: 'copy personal data as it is' },
    { flags: '--confirm <database>', description: 'the name of the source, needed for --unmasked without a terminal' },
    ...SOURCE_OPTIONS,
    { flags: '--dry-run', description: 'show the tables and rows, and write nothing' },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec subset --users 20 --mask --out dev/pgdata', 'A database to develop with: AISEC_DATA_DIR=dev/pgdata'],
    [
      'aisec subset --where "username = \'ken\'" --mask --into-url postgres://dev/bug',
      'One user, to look for what went wrong',
    ],
    ['aisec subset --users 20 --mask --backup prod.dump --out dev/pgdata', 'From a backup, not from the server'],
  ],
  run,
});
