import type { TuneResult } from '../../../features/vector/tune.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import { RECALL_OPTION, sampleOption, shareText, type MeasuringOptions } from './options.js';

function renderTune({ tried, setting, best }: TuneResult, { table, paint, isTTY }: Renderer): string {
  const time = (durationMs: number): string => durationMs.toFixed(1);
  return table(tried, [
    { title: setting, value: (row) => String(row.value), align: 'right' },
    { title: 'recall', value: (row) => (isTTY ? shareText(row.recall) : row.recall.toFixed(4)), align: 'right' },
    { title: 'median ms', value: (row) => time(row.medianMs), align: 'right' },
    { title: '95 % ms', value: (row) => time(row.p95Ms), align: 'right' },
    { title: '', value: (row) => (row.value === best?.value ? paint.green('cheapest') : '') },
  ]);
}

function optionFor({ setting, best }: TuneResult): string {
  const name = setting === 'hnsw.ef_search' ? 'efSearch' : 'probes';
  return `{ accuracy: { ${name}: ${best?.value ?? ''} } }`;
}

async function run(context: Context, options: MeasuringOptions): Promise<ExitCode | undefined> {
  const { config, output, progress } = context;
  const result = await context.withDatabase({}, async (session) => {
    const { tuneVectorSearch } = await import('../../../features/vector/tune.js');
    const settings = { schema: config.schema, sample: options.sample, wantedRecall: options.recall };
    return tuneVectorSearch(session, settings, progress.report);
  });
  output.result(result, renderTune);
  const { best, setting, currentValue, queries, index, rows, exactMedianMs } = result;
  output.note(
    `${result.database}: ${index} on ${rows} rows, ${queries} searches each; comparing every row takes ${exactMedianMs.toFixed(1)} ms.`,
  );
  if (best === null) {
    output.warning(`no ${setting} reaches a recall of ${shareText(options.recall)}`);
    output.note('Next: aisec vector rebuild, or aisec vector rebuild --method hnsw');
    return 3;
  }
  if (best.value === currentValue) {
    output.note(`${setting} is ${currentValue} already.`);
    return undefined;
  }
  output.note(`${setting} is ${currentValue} now, and stays so: no changes were made. To set it for new sessions:`);
  output.note(`  load 'vector'; ${result.statement ?? ''}`);
  output.note(`or for one call: searchKnowledge(trx, ${optionFor(result)})`);
  return undefined;
}

export const vectorTune = defineCommand<MeasuringOptions>({
  name: 'vector tune',
  summary: 'find the cheapest setting that reaches a wanted recall',
  description:
    'Searches for rows of the table with growing hnsw.ef_search or ivfflat.probes, whichever the index has, until the wanted share of the nearest rows is found, ' +
    'and shows recall and time of each. Changes nothing: it prints the statement that does. Exit 3 when no setting is enough.',
  options: [sampleOption(1, '100'), RECALL_OPTION],
  examples: [
    ['aisec vector tune', 'What 95 % of the nearest rows take'],
    ['aisec vector tune --recall 0.99 --sample 300', 'A higher recall, measured on more rows'],
    ['aisec vector tune --json', 'For a program: every setting that was tried'],
  ],
  run,
});
