import { countText } from '../../../base/count.js';
import { formatBytes } from '../../../base/bytes.js';
import { formatDurationMs } from '../../../base/duration.js';
import { AisecError } from '../../../base/errors.js';
import type { RebuildResult } from '../../../features/vector/rebuild.js';
import { defineCommand, type Context } from '../../command.js';
import { choiceOption, countOption, WAIT_OPTION } from '../../options.js';
import { reportingTo } from '../../reporting.js';
import type { Renderer } from '../../terminal/output.js';
import { memoryOption } from './options.js';

interface Options {
  readonly method?: 'ivfflat' | 'hnsw';
  readonly type?: 'vector' | 'halfvec';
  readonly lists?: number;
  readonly m: number;
  readonly efConstruction: number;
  readonly memory: number;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly wait: number;
}

function renderRebuild({ steps }: RebuildResult, { table, isTTY }: Renderer): string {
  if (steps.length === 0) return '';
  return table(steps, [
    { title: 'step', value: (row) => row.kind },
    { title: 'statement', value: (row) => row.statements.join('; ') },
    { title: 'why', value: (row) => row.why },
    {
      title: 'time',
      value: ({ durationMs }) => (durationMs === null ? '' : isTTY ? formatDurationMs(durationMs) : String(durationMs)),
      align: 'right',
    },
  ]);
}

function shapeText({ method, type, lists, m, efConstruction }: RebuildResult['shape']): string {
  const what = type === 'vector' ? method : `${method} on ${type}`;
  if (method === 'ivfflat') return `${what} with ${countText(lists ?? 0, 'list')}`;
  return `${what} with m ${m} and ef_construction ${efConstruction}`;
}

function summary({ database, steps, shape, rows, isDryRun }: RebuildResult): string {
  const isBuilt = steps.some(({ kind, why }) => kind === 'rename' && why === 'puts it in place');
  if (isBuilt) {
    if (isDryRun) return `${database}: dry run; the index would be rebuilt as ${shapeText(shape)} on ${rows} rows.`;
    return `${database}: the index is ${shapeText(shape)} on ${rows} rows now. Next: aisec vector tune`;
  }
  const cleaned = steps.length === 0 ? '' : `${isDryRun ? 'would remove' : 'removed'} what was left over; `;
  if (rows === 0 && shape.method === 'ivfflat')
    return `${database}: ${cleaned}no row has an embedding, and ivfflat lists cannot be trained on nothing.`;
  return `${database}: ${cleaned}nothing to rebuild, the index is ${shapeText(shape)} and fits its ${rows} rows (--force rebuilds it).`;
}

function refuseMixed({ method, lists }: Options): void {
  if (method !== 'hnsw' || lists === undefined) return;
  throw new AisecError('USAGE', '--lists and --method hnsw cannot be used together', { hint: 'hnsw has no lists.' });
}

async function run(context: Context, options: Options): Promise<void> {
  const { config, output } = context;
  refuseMixed(options);
  const result = await context.withDatabase({ idleTimeoutMs: 0 }, async (session) => {
    const { rebuildVectorIndex } = await import('../../../features/vector/rebuild.js');
    const settings = {
      schema: config.schema,
      method: options.method ?? (options.lists === undefined ? undefined : 'ivfflat'),
      type: options.type,
      lists: options.lists,
      m: options.m,
      efConstruction: options.efConstruction,
      memoryBytes: options.memory,
      isForced: options.force,
      isDryRun: options.dryRun,
      waitMs: options.wait,
    };
    return rebuildVectorIndex(session, settings, reportingTo(context));
  });
  output.done(result, renderRebuild);
  if (result.steps.some(({ kind }) => kind === 'create') && result.memoryBytes < result.wantedMemoryBytes)
    output.warning(
      `the build would like ${formatBytes(result.wantedMemoryBytes)} of memory and has ${formatBytes(result.memoryBytes)}; it takes longer (see --memory)`,
    );
  output.note(summary(result));
}

export const vectorRebuild = defineCommand<Options>({
  name: 'vector rebuild',
  summary: 'rebuild the vector index on the present rows',
  description:
    'Builds an index beside the one in use, puts it in its place by renaming, and drops the old one. Searches and writes continue all the while; needs disk for both. ' +
    'Lists of ivfflat are fitted to the rows. Nothing is done where the index is as wanted. Killed at any moment and run again, it continues. ' +
    'While a transaction is open that is older than the build, it waits for that.',
  options: [
    {
      flags: '--method <name>',
      description: 'ivfflat or hnsw; default: as it is now',
      parse: choiceOption(['ivfflat', 'hnsw'], 'index method', { hint: 'It is ivfflat or hnsw.' }),
      values: ['ivfflat', 'hnsw'],
    },
    {
      flags: '--type <name>',
      description: 'vector, or halfvec: half the size, compared again with the whole embedding; default: as it is now',
      parse: choiceOption(['vector', 'halfvec'], 'type', { hint: 'It is vector or halfvec.' }),
      values: ['vector', 'halfvec'],
    },
    {
      flags: '--lists <n>',
      description: 'of ivfflat; default: a thousandth of the rows, from a million on their square root',
      parse: countOption(1, 32_768),
    },
    { flags: '--m <n>', description: 'of hnsw: connections of a row', default: '16', parse: countOption(2, 100) },
    {
      flags: '--ef-construction <n>',
      description: 'of hnsw: candidates while building, at least twice m',
      default: '64',
      parse: countOption(4, 1000),
    },
    {
      flags: '--memory <size>',
      description: 'the most that maintenance_work_mem is raised to',
      default: '1GB',
      parse: memoryOption,
    },
    { flags: '--force', description: 'rebuild also what is as wanted' },
    { flags: '--dry-run', description: 'show the statements; change nothing' },
    WAIT_OPTION,
  ],
  examples: [
    ['aisec vector rebuild', 'After the first import, and when the rows have doubled'],
    ['aisec vector rebuild --method hnsw', 'Better recall and speed for a longer build'],
    ['aisec vector rebuild --type halfvec', 'Half the memory; searches find as much'],
    ['aisec vector rebuild --dry-run', 'See the statements first'],
  ],
  run,
});
