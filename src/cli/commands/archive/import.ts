import { resolve } from 'node:path';

import type { ImportResult } from '../../../features/messages/archive/import.js';
import { defineCommand, type Context } from '../../command.js';
import { choiceOption } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import type { Renderer } from '../../terminal/output.js';
import { LOCK_WAITS, type LockWaits } from './options.js';

interface Options extends LockWaits {
  readonly into: 'archive' | 'messages';
  readonly nullMissingReferences: boolean;
  readonly skipOrphans: boolean;
  readonly dryRun: boolean;
}

/** The transaction stays open while the file is read. */
const IDLE_TIMEOUT_MS = 600_000;

function renderImport(result: ImportResult, { table, paint }: Renderer): string {
  return table(
    [result],
    [
      { title: 'month', value: (row) => row.month },
      { title: 'outcome', value: (row) => (row.outcome === 'imported' ? paint.green(row.outcome) : row.outcome) },
      { title: 'partition', value: (row) => row.partition },
      { title: 'rows', value: (row) => String(row.rows), align: 'right' },
      { title: 'skipped', value: (row) => String(row.skippedRows), align: 'right' },
      { title: 'references nulled', value: (row) => String(row.nulledParents), align: 'right' },
    ],
  );
}

const NOTES: Readonly<Record<ImportResult['outcome'], string>> = {
  present: 'nothing to do, every message of the file exists exactly as it is there.',
  planned: 'dry run; no changes were made.',
  imported: 'imported and compared with the file.',
};

async function run(context: Context, options: Options, argument: string): Promise<void> {
  const result = await context.withDatabase({ idleTimeoutMs: IDLE_TIMEOUT_MS }, async (session) => {
    const { importExport } = await import('../../../features/messages/archive/import.js');
    const settings = {
      schema: context.config.schema,
      file: resolve(context.config.cwd, argument),
      root: options.into === 'messages' ? ('messages' as const) : ('messages_archive' as const),
      nullsParents: options.nullMissingReferences,
      skipsOrphans: options.skipOrphans,
      isDryRun: options.dryRun,
      maxWaitMs: options.maxWait,
      waitMs: options.wait,
    };
    return importExport(session, settings, reportingTo(context));
  });
  context.output.done(result, renderImport);
  context.output.note(`${result.database}: ${result.month}: ${NOTES[result.outcome]}`);
}

export const archiveImport = defineCommand<Options>({
  name: 'archive import',
  summary: 'read an export of a month back',
  description:
    'Reads a file of aisec archive export, verifies it against its manifest, and inserts its messages with their keys in one transaction, compared before the commit. ' +
    'Messages that exist already are an error; so are references to what does not exist any more, unless a flag says what becomes of them.',
  argument: { syntax: '<file>', description: 'a file of aisec archive export, with its manifest beside it' },
  options: [
    {
      flags: '--into <table>',
      description: 'archive or messages',
      default: 'archive',
      parse: choiceOption(['archive', 'messages'], 'target', { expected: ', expected archive or messages' }),
    },
    {
      flags: '--null-missing-references',
      description: 'import replies to messages that do not exist without that reference',
    },
    { flags: '--skip-orphans', description: 'leave out messages whose conversation does not exist' },
    { flags: '--dry-run', description: 'verify the file and check every message, then change nothing' },
    ...LOCK_WAITS,
  ],
  examples: [
    ['aisec archive import 2021-01.ndjson.gz --dry-run', 'See whether a month that was pruned can be read back'],
    ['aisec archive import 2021-01.ndjson.gz', 'Read it back into the archive'],
  ],
  run,
});
