import path from 'node:path';

import type { Age } from '../../../base/age.js';
import { countText } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import type { EmptiedCaches } from '../../../features/user/erase/certificate.js';
import type { ErasurePlan } from '../../../features/user/erase/plan.js';
import type { UserEraseResult } from '../../../features/user/erase.js';
import { DIRECTORY_OPTION, directoryOf, type DirectoryOption } from '../../backup-place.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { ageOption, listOption, MAX_WAIT_OPTION, WAIT_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import type { Renderer } from '../../terminal/output.js';
import { shellWord } from '../../../base/package/aisec-command.js';

interface Options extends DirectoryOption {
  readonly shared: 'refuse' | 'keep' | { readonly handOverTo: string };
  readonly anonymise: readonly string[];
  readonly out?: string;
  readonly backupsKept?: Age;
  readonly confirm?: string;
  readonly dryRun: boolean;
  readonly wait: number;
  readonly maxWait: number;
}

const IDLE_TIMEOUT_MS = 600_000;

function sharedOption(text: string): Options['shared'] {
  if (text === 'refuse' || text === 'keep') return text;
  const handOverTo = /^hand-over=(.+)$/.exec(text)?.[1];
  if (handOverTo !== undefined) return { handOverTo };
  throw new AisecError('USAGE', `invalid value "${text}"`, { hint: 'Give refuse, keep, or hand-over=USER.' });
}

function renderErase({ plan, certificate, outcome }: UserEraseResult, { table }: Renderer): string {
  if (outcome === 'planned' && plan !== null)
    return table(plan.tables, [
      { title: 'table', value: (row) => row.table },
      { title: 'rows', value: (row) => String(row.rows), align: 'right' },
      { title: 'action', value: (row) => row.action },
      { title: 'partitions', value: (row) => (row.partitions.length === 0 ? '' : String(row.partitions.length)) },
    ]);
  return table(certificate?.tables ?? [], [
    { title: 'table', value: (row) => row.table },
    { title: 'before', value: (row) => String(row.before), align: 'right' },
    { title: 'after', value: (row) => String(row.after), align: 'right' },
    { title: 'action', value: (row) => row.action },
  ]);
}

async function confirm(
  { output, prompt }: Context,
  given: string | undefined,
  plan: ErasurePlan,
  username: string,
): Promise<void> {
  const rows = plan.tables.reduce((sum, table) => sum + table.rows, 0);
  output.note(`Erases ${username} for good: ${countText(rows, 'row')} in ${countText(plan.tables.length, 'table')}.`);
  if (given === username) return;
  if (given !== undefined)
    throw new AisecError('REFUSED', `--confirm ${given} is not the username`, {
      hint: `It is "${username}". No changes were made.`,
    });
  await prompt.confirmByTyping(
    'This cannot be undone.',
    username,
    `See what it would do with --dry-run, then give the username: --confirm ${shellWord(username)}`,
  );
}

async function emptyCaches(context: Context, id: string): Promise<EmptiedCaches> {
  const { findRedisTarget } = await import('../../../config/redis-target.js');
  if (findRedisTarget(context.config) === undefined || (await isEmbedded(context))) return { redis: null, keys: 0 };
  const { forgetUser } = await import('../../../features/cache/forget.js');
  return context.withCache((access) => forgetUser(access, id));
}

async function isEmbedded({ config }: Context): Promise<boolean> {
  const { resolveDatabaseTarget } = await import('../../../config/database-target.js');
  return resolveDatabaseTarget(config).kind === 'embedded';
}

/** What is left, and who holds something still: a person has to act on it. */
function reportRest({ output }: Context, { certificate, plan, outcome }: UserEraseResult): void {
  if (outcome === 'planned')
    for (const { message, impact } of plan?.findings ?? []) output.warning(`${message}\n    ${impact}`);
  for (const { table, column, rows } of certificate?.hits ?? [])
    output.warning(`${table}.${column} names the person in ${countText(rows, 'row')}`);
  if (certificate !== null && certificate.backupDirectory === null)
    output.warning(
      'no directory of backups was looked at, so the certificate does not name those that hold the person: give it with --dir or AISEC_BACKUP_DIR',
    );
  for (const { kind, place, month, until, fix } of certificate?.holders ?? [])
    output.warning(
      `${kind === 'backup' ? 'a backup' : `an export of ${month ?? ''}`} still holds the person: ${place}, ` +
        `${until === null ? 'nothing says until when' : `until ${until.slice(0, 10)}`}${fix === null ? '' : `\n    ${fix}`}`,
    );
}

async function writeCertificate(context: Context, result: UserEraseResult, out: string | undefined): Promise<void> {
  if (result.certificate === null) return;
  const { writeCertificateFiles } = await import('../../../features/user/erase/certificate-files.js');
  const directory = path.resolve(context.config.cwd, out ?? '.');
  for (const file of writeCertificateFiles(result.certificate, directory)) context.output.note(`Certificate: ${file}`);
}

async function run(context: Context, options: Options, argument: string): Promise<ExitCode | undefined> {
  const { config, output } = context;
  const { eraseUser } = await import('../../../features/user/erase.js');
  const backupDirectory = directoryOf(context, options);
  const result = await context.withDatabase({ idleTimeoutMs: IDLE_TIMEOUT_MS }, async (session) =>
    eraseUser(
      session,
      {
        user: argument,
        schema: config.schema,
        shared: options.shared,
        anonymise: options.anonymise,
        backupDirectory,
        backupsKept: options.backupsKept,
        isDryRun: options.dryRun,
        waitMs: options.wait,
        maxWaitMs: options.maxWait,
      },
      {
        confirm: (plan, { username }) => confirm(context, options.confirm, plan, username),
        emptyCaches: (id) => emptyCaches(context, id),
      },
      reportingTo(context),
    ),
  );
  output.done(result, renderErase);
  reportRest(context, result);
  await writeCertificate(context, result, options.out);
  const { database, outcome, user, certificate, plan } = result;
  const words = {
    planned: `dry run; user ${user} would be erased`,
    erased: `user ${user} erased`,
    continued: `user ${user} erased; an earlier run had begun it`,
    present: `user ${user} was erased before, on ${certificate?.erasedAt.slice(0, 10) ?? ''}`,
  };
  output.note(`${database}: ${words[outcome]}.`);
  return (certificate?.hits ?? []).length + (outcome === 'planned' ? (plan?.findings ?? []).length : 0) > 0
    ? 3
    : undefined;
}

export const userErase = defineCommand<Options>({
  name: 'user erase',
  summary: 'erase one person everywhere, with a certificate',
  description:
    'Deletes a user, given by id, username or e-mail address, with all that belongs to them: live and archived messages, and the rows of every table that refers to them, ' +
    'also those of a team. The account is closed first; then rows are deleted in short batches, which hold no lock for long; the row of users goes last. Then the caches are emptied, every column that ' +
    'can hold the id, the username or the address is searched, and a certificate is written, which names the exports and backups that still hold the person. The username must be typed, or given with --confirm. ' +
    'Stopped at any moment and run again, it continues.',
  argument: { syntax: '<user>', description: 'id, username or e-mail address' },
  options: [
    {
      flags: '--shared <rule>',
      description:
        'what becomes of public assistants, skills, voices … that others use: refuse, keep (without an owner), or hand-over=USER',
      default: 'refuse',
      parse: sharedOption,
      values: ['refuse', 'keep'],
    },
    {
      flags: '--anonymise <tables>',
      description: 'tables whose rows must be kept, with commas: they lose the person and their texts (api_usage)',
      default: '',
      parse: listOption,
    },
    { flags: '--out <dir>', description: 'directory for the certificate, JSON and HTML; default: the current one' },
    DIRECTORY_OPTION,
    {
      flags: '--backups-kept <age>',
      description: 'how long backups are kept (30d, 6mo), so that the certificate says when the last one goes',
      parse: ageOption,
    },
    { flags: '--confirm <username>', description: 'the username, instead of typing it' },
    { flags: '--dry-run', description: 'show the plan; change nothing' },
    MAX_WAIT_OPTION,
    WAIT_OPTION,
  ],
  examples: [
    ['aisec user erase hanako@example.com --dry-run', 'See what would be deleted, and what prevents it'],
    [
      'aisec user erase hanako --anonymise api_usage --confirm hanako',
      'Keep the usage without the person, for the books',
    ],
    ['aisec user erase hanako --shared hand-over=admin --confirm hanako', 'Give what others use to another user'],
  ],
  run,
});
