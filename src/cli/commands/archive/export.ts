import { resolve } from 'node:path';

import { countText } from '../../../base/count.js';
import { AisecError } from '../../../base/errors.js';
import type { ExportResult } from '../../../features/messages/archive/export.js';
import type { ExportFormat } from '../../../features/messages/archive/exports/record-format.js';
import { defineCommand, type Context } from '../../command.js';
import { choiceOption, monthOption, WAIT_OPTION } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { rowsText } from './words.js';
import { reportingTo } from '../../reporting.js';
import { formatBytes } from '../../../base/bytes.js';
import { aisecCommand, shellWord } from '../../../base/package/aisec-command.js';

interface Options {
  readonly out?: string;
  readonly format: ExportFormat;
  readonly replace: boolean;
  readonly dryRun: boolean;
  readonly wait: number;
}

/** A slow disk may let the transaction wait between two fetches. */
const IDLE_TIMEOUT_MS = 600_000;

function renderExport(result: ExportResult, { table }: Renderer): string {
  return table(
    [result],
    [
      { title: 'month', value: (row) => row.month },
      { title: 'file', value: (row) => row.file },
      { title: 'rows', value: (row) => rowsText(row.rows, true), align: 'right' },
      { title: 'size', value: (row) => (row.sizeBytes === null ? '' : formatBytes(row.sizeBytes)), align: 'right' },
      { title: 'sha256', value: (row) => row.sha256 ?? '' },
    ],
  );
}

function noteOf({ database, month, outcome, rows, manifest }: ExportResult): string {
  if (outcome === 'present')
    return `${database}: nothing to do, the file holds exactly the messages that the month has now.`;
  if (outcome === 'planned')
    return `${database}: dry run; ${countText(rows, 'message')} of ${month} would be exported.`;
  return `${database}: ${month} exported, read back and compared. Manifest: ${manifest}`;
}

async function run(context: Context, options: Options, argument: string): Promise<void> {
  if (options.out === undefined)
    throw new AisecError('USAGE', 'no file was given', {
      hint: `Give one: ${aisecCommand(`archive export ${shellWord(argument)} --out ${shellWord(`messages-${argument}.${options.format}.gz`)}`, context.config.schema)}`,
    });
  const file = resolve(context.config.cwd, options.out);
  const month = monthOption(argument);
  const result = await context.withDatabase({ idleTimeoutMs: IDLE_TIMEOUT_MS }, async (session) => {
    const { exportMonth } = await import('../../../features/messages/archive/export.js');
    const settings = {
      schema: context.config.schema,
      month,
      file,
      format: options.format,
      replaces: options.replace,
      isDryRun: options.dryRun,
      waitMs: options.wait,
    };
    return exportMonth(session, settings, reportingTo(context));
  });
  context.output.done(result, renderExport);
  context.output.note(noteOf(result));
}

export const archiveExport = defineCommand<Options>({
  name: 'archive export',
  summary: 'write an archived month to a file',
  description:
    'Writes a month of messages_archive to a gzip file, reads it back whole and compares, and puts a manifest with rows, times, columns and SHA-256 beside it. ' +
    'One snapshot of the database, flat memory. The final file name appears only when the file is complete. An existing file is overwritten only with --replace, and only an export of the same month.',
  argument: { syntax: '<month>', description: 'year and month in UTC: 2024-01' },
  options: [
    { flags: '--out <file>', description: 'the file to write; its manifest is FILE.manifest.json' },
    {
      flags: '--format <format>',
      description: 'ndjson (a JSON object a line) or csv',
      default: 'ndjson',
      parse: choiceOption(['ndjson', 'csv'], 'format', { hint: 'Give ndjson or csv.' }),
      values: ['ndjson', 'csv'],
    },
    { flags: '--replace', description: 'write an export again that the month has changed since' },
    { flags: '--dry-run', description: 'check the month and the place of the file; write nothing' },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec archive export 2021-01 --out messages-2021-01.ndjson.gz', 'Write January 2021 to a file'],
    ['aisec archive export 2021-01 --out 2021-01.csv.gz --format csv', 'The same as CSV, for COPY'],
  ],
  run,
});
