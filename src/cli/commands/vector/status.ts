import { formatBytes } from '../../../base/bytes.js';
import type { VectorStatus } from '../../../features/vector/status.js';
import { defineCommand, type Context } from '../../command.js';
import type { Renderer } from '../../terminal/output.js';
import { RECALL_OPTION, sampleOption, shareText, type MeasuringOptions } from './options.js';

type Index = VectorStatus['indexes'][number];

function stateText({ isValid, isBuilding }: Index): string {
  if (isBuilding) return 'building';
  return isValid ? 'valid' : 'INVALID';
}

function renderStatus({ indexes }: VectorStatus, { table, paint, isTTY }: Renderer): string {
  if (indexes.length === 0) return '';
  return table(indexes, [
    { title: 'index', value: (row) => row.name },
    { title: 'method', value: (row) => row.method },
    { title: 'type', value: (row) => row.type },
    {
      title: 'options',
      value: (row) =>
        row.method === 'ivfflat' ? `lists ${row.lists}` : `m ${row.m}, ef_construction ${row.efConstruction}`,
    },
    { title: 'built on rows', value: (row) => String(row.builtOnRows ?? ''), align: 'right' },
    {
      title: 'size',
      value: (row) => (isTTY ? formatBytes(row.sizeBytes) : String(row.sizeBytes)),
      align: 'right',
    },
    { title: 'state', value: (row) => (row.isValid ? stateText(row) : paint.red(stateText(row))) },
  ]);
}

function recallText({ measured, effort, expectedRecall }: VectorStatus): string {
  if (measured === null || effort === null) return 'recall not measured';
  return (
    `with ${effort.setting} = ${effort.value} a search finds ${shareText(measured.recall)} of the ${measured.neighbours} nearest rows ` +
    `(expected ${shareText(expectedRecall)}; ${measured.queries} searches, median ${measured.medianMs.toFixed(1)} ms, 95 % within ${measured.p95Ms.toFixed(1)} ms)`
  );
}

export async function readStatus(
  { config, progress, withDatabase }: Context,
  { sample, recall: expectedRecall }: MeasuringOptions,
): Promise<VectorStatus> {
  return withDatabase({}, async (session) => {
    const { vectorStatus } = await import('../../../features/vector/status.js');
    return vectorStatus(session, { schema: config.schema, sample, expectedRecall }, progress.report);
  });
}

async function run(context: Context, options: MeasuringOptions): Promise<void> {
  const { output } = context;
  const status = await readStatus(context, options);
  output.result(status, renderStatus);
  output.note(`${status.database}: ${status.rows} rows with an embedding; ${recallText(status)}.`);
  for (const { message } of status.findings) output.warning(message);
  if (status.findings.length > 0)
    output.note(`Next: ${status.needsRebuild ? 'aisec vector rebuild, then ' : ''}aisec vector tune`);
}

export const vectorStatusCommand = defineCommand<MeasuringOptions>({
  name: 'vector status',
  summary: 'show how many of the nearest rows a search finds',
  description:
    'Shows the vector index of knowledge_base, and measures its recall: rows of the table are searched for among the others by the index as the database is ' +
    'set, and by one comparison with every row. That pass reads every embedding once (20,000 rows: a few seconds). Reads only.',
  options: [sampleOption(0, '50'), RECALL_OPTION],
  examples: [
    ['aisec vector status', 'See what the index is and what it finds'],
    ['aisec vector status --recall 0.9', 'Compare it with what is expected'],
    ['aisec vector status --sample 0', 'Only what the catalog says, at once'],
  ],
  run,
});
