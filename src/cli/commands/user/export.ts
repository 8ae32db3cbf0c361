import path from 'node:path';

import { formatBytes } from '../../../base/bytes.js';
import { countText } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import type { UserExportResult } from '../../../features/user/export.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { choiceOption, ENCRYPT_OPTION, RECIPIENTS_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import type { Renderer } from '../../terminal/output.js';
import { givenPath } from '../../backup-place.js';

interface Options {
  readonly out?: string;
  readonly all: boolean;
  readonly language?: 'en' | 'ja';
  readonly encryptTo?: readonly string[];
  readonly recipientsFile?: string;
  readonly replace: boolean;
  readonly dryRun: boolean;
}

/** A slow disk may let the transaction wait between two fetches. */
const IDLE_TIMEOUT_MS = 600_000;

function renderExport({ tables, months }: UserExportResult, { table }: Renderer): string {
  const rows = [
    ...tables.map((row) => ({ ...row, note: row.hiddenRows === 0 ? '' : `${row.hiddenRows} left out by policies` })),
    ...months.map((month) => ({
      table: `messages of ${month.month}`,
      rows: month.rows ?? 0,
      note: month.reason ?? `from ${month.source}`,
    })),
  ];
  if (rows.length === 0) return '';
  return table(rows, [
    { title: 'table', value: (row) => row.table },
    { title: 'rows', value: (row) => String(row.rows), align: 'right' },
    { title: 'note', value: (row) => row.note },
  ]);
}

function reportMissing({ output }: Context, { tables, months, scope }: UserExportResult): void {
  const hidden = tables.reduce((sum, { hiddenRows }) => sum + hiddenRows, 0);
  if (scope === 'policies' && hidden > 0)
    output.note(`${countText(hidden, 'row')} that the policies do not show: --all exports them, too.`);
  for (const { month, source, reason } of months)
    if (reason !== null)
      output.warning(
        `the messages of ${month} are not in the file: ${reason}\n    ${source === '' ? 'no export of it is on record' : source}`,
      );
}

async function run(context: Context, options: Options, argument: string): Promise<ExitCode | undefined> {
  const { config, output } = context;
  if (options.out === undefined)
    throw new AisecError('USAGE', 'no file was given for the export', { hint: 'Give --out data.zip.' });
  const file = path.resolve(config.cwd, options.out);
  const { exportUser } = await import('../../../features/user/export.js');
  const { encryptionFor } = await import('../../../features/user/export/encryption.js');
  const encrypt = await encryptionFor(options.encryptTo, givenPath(context, options.recipientsFile));
  const result = await context.withDatabase({ idleTimeoutMs: IDLE_TIMEOUT_MS }, async (session) =>
    exportUser(
      session,
      {
        user: argument,
        schema: config.schema,
        file,
        isAll: options.all,
        language: options.language,
        encrypt,
        replaces: options.replace,
        isDryRun: options.dryRun,
      },
      reportingTo(context),
    ),
  );
  output.done(result, renderExport);
  reportMissing(context, result);
  const { database, rows, sizeBytes, isEncrypted } = result;
  output.note(
    result.isDryRun
      ? `${database}: dry run; ${countText(rows, 'row')} would be exported.`
      : `${database}: ${countText(rows, 'row')} exported to ${file}, ${formatBytes(sizeBytes ?? 0)}${isEncrypted ? ', encrypted' : ''}.`,
  );
  return result.months.some(({ reason }) => reason !== null) ? 3 : undefined;
}

export const userExport = defineCommand<Options>({
  name: 'user export',
  summary: 'write all data of one person to a ZIP file',
  description:
    'Writes what is kept about one user, given by id, username or e-mail address: live and archived messages, months that are only in exports, and every table that ' +
    'refers to the user, also those of a team. One file of JSON lines for each table, a page to read without a network, and a manifest with hashes. All rows are of one MVCC snapshot. ' +
    'The policies of row-level security are the filter; --all adds what they do not show. Passwords and other secrets are never exported. Reads only.',
  argument: { syntax: '<user>', description: 'id, username or e-mail address' },
  options: [
    { flags: '--out <file>', description: 'the ZIP file to write, for its owner only (required)' },
    { flags: '--all', description: 'also what is kept about the person and the policies do not show' },
    {
      flags: '--language <code>',
      description: 'of the page, en or ja; default: that of the preferences of the user',
      parse: choiceOption(['en', 'ja'], 'language', { hint: 'Give en or ja.' }),
      values: ['en', 'ja'],
    },
    ENCRYPT_OPTION,
    RECIPIENTS_OPTION,
    { flags: '--replace', description: 'write the file again where it exists' },
    { flags: '--dry-run', description: 'count the rows; write no file' },
  ],
  examples: [
    ['aisec user export hanako@example.com --out hanako.zip', 'What the person may see'],
    ['aisec user export hanako --all --out hanako.zip.age --encrypt-to age1…', 'All of it, encrypted'],
  ],
  run,
});
