import { formatDurationMs } from '../../../base/duration.js';
import type { DemoOptions } from '../../../features/seed/demo/options.js';
import type { SeedDemoResult } from '../../../features/seed/demo/run.js';
import { defineCommand, type Context } from '../../command.js';
import { choiceOption, countOption, WAIT_OPTION } from '../../options.js';
import type { Renderer } from '../../terminal/output.js';
import { confirmDemo, type ConfirmOptions } from './confirm-demo.js';

interface Options extends ConfirmOptions {
  readonly users: number;
  readonly conversations?: number;
  readonly messages: number;
  readonly embeddings: number;
  readonly months: number;
  readonly seed: string;
  readonly locale: 'ja' | 'en';
  readonly until?: string;
  readonly dryRun: boolean;
  readonly wait: number;
}

async function demoOptions(options: Options): Promise<DemoOptions> {
  const { checkDemoOptions, dayOf, defaultConversations } = await import('../../../features/seed/demo/options.js');
  const { users, messages, embeddings, months, seed, locale } = options;
  const conversations = options.conversations ?? defaultConversations(messages);
  const nowMs = Date.now();
  const until = options.until ?? dayOf(nowMs);
  const wanted = { users, conversations, messages, embeddings, months, seed, locale, until };
  checkDemoOptions(wanted, nowMs);
  return wanted;
}

function renderDemo({ tables }: SeedDemoResult, { table }: Renderer): string {
  if (tables.length === 0) return '';
  return table(tables, [
    { title: 'table', value: (row) => row.table },
    { title: 'rows', value: (row) => String(row.rows), align: 'right' },
  ]);
}

function printNotes({ output }: Context, result: SeedDemoResult): void {
  const { database, tables, rows, from, until, seed, durationMs, rowsPerSecond, tablesWithRows } = result;
  if (tables.length === 0) {
    output.note(`${database}: nothing to do, the demo data of seed "${seed}" is there.`);
    return;
  }
  const span = `from ${from} up to ${until}, seed "${seed}"`;
  if (result.isDryRun) {
    output.note(`${database}: dry run, nothing written; ${rows} rows would be, ${span}.`);
    if (tablesWithRows.length > 0)
      output.note(`The real run would need --yes: there are rows of others in ${tablesWithRows.join(', ')}.`);
    return;
  }
  output.note(
    `${database}: ${rows} demo rows ${span}, in ${formatDurationMs(durationMs)} (${rowsPerSecond} rows/s), analyzed.`,
  );
  output.note('No one can log in as a demo user: the password is random, and only its hash was stored.');
}

async function run(context: Context, options: Options): Promise<void> {
  const wanted = await demoOptions(options);
  const { config, output, progress } = context;
  const result = await context.withDatabase({}, async (session) => {
    const { seedDemo } = await import('../../../features/seed/demo/run.js');
    return seedDemo(
      session,
      wanted,
      {
        schema: config.schema,
        isDryRun: options.dryRun,
        waitMs: options.wait,
        confirm: (tables) => confirmDemo(context, tables, session.info.databaseName, options),
      },
      { onProgress: progress.report, onWarning: (text) => output.warning(text) },
    );
  });
  output.done(result, renderDemo);
  printNotes(context, result);
}

export const seedDemo = defineCommand<Options>({
  name: 'seed demo',
  summary: 'fill the tables with realistic demo data',
  description:
    'Fills every table with invented rows: users, assistants, conversations with reply chains, files, knowledge with ' +
    'clustered embeddings, usage with costs; more by day than by night, over some months. The same options give the ' +
    'same rows, but for the hash of a random password. One transaction: killed at any moment, it leaves ' +
    'nothing but empty months of messages. Messages are live; archive them with `aisec archive`.',
  options: [
    {
      flags: '--users <n>',
      description: 'users, each with one to three assistants',
      default: '50',
      parse: countOption(1, 1_000_000),
    },
    {
      flags: '--conversations <n>',
      description: 'conversations (default: one for 40 messages)',
      parse: countOption(0, 10_000_000),
    },
    {
      flags: '--messages <n>',
      description: 'messages, with a file for 40 and a call for 4 of them',
      default: '20000',
      parse: countOption(0, 100_000_000),
    },
    {
      flags: '--embeddings <n>',
      description: 'pieces of knowledge with an embedding',
      default: '1000',
      parse: countOption(0, 10_000_000),
    },
    {
      flags: '--months <n>',
      description: 'months before --until that the rows are spread over',
      default: '6',
      parse: countOption(1, 240),
    },
    { flags: '--until <day>', description: 'day before which everything happens, YYYY-MM-DD (default: today in UTC)' },
    { flags: '--seed <text>', description: 'what the rows are made from; another one gives others', default: '1' },
    {
      flags: '--locale <locale>',
      description: 'language of names and texts, ja or en',
      default: 'ja',
      parse: choiceOption(['ja', 'en'], 'locale', { hint: 'It is ja or en.' }),
      values: ['ja', 'en'],
    },
    { flags: '--yes', description: 'also where tables have rows of others' },
    { flags: '--confirm <database>', description: 'the name of the database, needed in production' },
    { flags: '--dry-run', description: 'say what would be written, and write nothing' },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec seed demo', 'Some 27,000 rows in Japanese, in seconds'],
    ['aisec seed demo --locale en --messages 2000000 --months 24', 'Enough to measure with'],
    ['aisec seed demo --seed exam --until 2025-09-01', 'The very same rows on any day'],
  ],
  run,
});
