import { countText } from '../../../../base/count.js';
import path from 'node:path';

import { formatBytes } from '../../../../base/bytes.js';
import { AisecError } from '../../../../base/errors.js';
import type { Finding } from '../../../../base/finding.js';
import type { Report } from '../../../../features/monitor/report.js';
import { defineCommand, type Context } from '../../../command.js';
import { warnOfSkips } from '../words.js';
import { PAGE_OPTIONS, pageReader, type PageOptions } from './read-page.js';

interface Options extends PageOptions {
  readonly out?: string;
  readonly dryRun: boolean;
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

async function run(context: Context, options: Options): Promise<void> {
  const { config, output } = context;
  if (options.out === undefined)
    throw new AisecError('USAGE', 'no file was given for the report', { hint: 'Give --out report.html.' });
  const file = path.resolve(config.cwd, options.out);
  const { requireWritable, writeReport } = await import('../../../../features/monitor/report-file.js');
  await requireWritable(file);
  const read = await pageReader(context, options);
  const data = await context.withDatabase({}, read);
  const { renderPage } = await import('../../../../features/monitor/page/page.js');
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
}

export const monitorReport = defineCommand<Options>({
  name: 'monitor report',
  summary: 'write one HTML page about the database',
  description:
    'Writes one page that opens without a network: what `doctor` finds, with what fixes it, the size of every table, the months of messages as a timeline, growth with a forecast, the ' +
    'use of indexes, what vacuum has to do, and who waits for a lock. Light and dark, for a phone and for paper; it has no script. The file is replaced whole and can be read by its owner only. Reads only, and waits 200 ms ' +
    'for a lock at most; the page lists what could not be read, with the reason.',
  options: [
    { flags: '--out <file>', description: 'the HTML file to write' },
    { flags: '--dry-run', description: 'read everything; write no file' },
    ...PAGE_OPTIONS,
  ],
  examples: [
    ['aisec monitor report --out report.html', 'Write the page, then open it in a browser'],
    ['aisec monitor report --out report.html --size-limit 500GB', 'With the month in which the disk will be full'],
  ],
  run,
});
