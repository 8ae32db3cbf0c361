import { countText } from '../../../base/count.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { renderFindings } from '../../terminal/findings.js';
import { RECALL_OPTION, sampleOption, type MeasuringOptions } from './options.js';
import { readStatus } from './status.js';

async function run(context: Context, options: MeasuringOptions): Promise<ExitCode | undefined> {
  const { output } = context;
  const status = await readStatus(context, options);
  const { database, findings } = status;
  const isHealthy = findings.length === 0;
  output.result({ ...status, isHealthy }, renderFindings);
  output.note(`${database}: ${isHealthy ? 'no findings' : countText(findings.length, 'finding')}.`);
  return isHealthy ? undefined : 3;
}

export const vectorCheck = defineCommand<MeasuringOptions>({
  name: 'vector check',
  summary: 'check the vector index and what a search finds',
  description:
    'Measures as `vector status` does, and exits 3 when the index of knowledge_base is missing, INVALID or left over from a rebuild, when its lists do not fit the rows, or when a search finds less than --recall. Reads only.',
  options: [sampleOption(0, '50'), RECALL_OPTION],
  examples: [
    ['aisec vector check --recall 0.9 --quiet', 'For monitoring: exit 3 when a search finds less than 90 %'],
    ['aisec vector check --sample 0', 'Only what the catalog says, at once'],
  ],
  run,
});
