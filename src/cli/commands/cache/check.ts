import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { compareCache, noteOfSync, renderDifferences } from './sync.js';

async function run(context: Context): Promise<ExitCode | undefined> {
  const { output } = context;
  const result = await compareCache(context, true);
  output.result(result, renderDifferences);
  const { differences, compared } = result;
  if (differences.length === 0) {
    output.note(noteOfSync(result));
    return undefined;
  }
  output.warning(
    `${differences.length} of ${compared} entries are not as in the database; to drop them: aisec cache sync`,
  );
  return 3;
}

export const cacheCheck = defineCommand({
  name: 'cache check',
  summary: 'check that the cache holds what the database holds',
  description:
    'Reads every entry in Redis that services answer from, and the same rows from the database, each as its owner, and exits 3 when an entry differs. Changes nothing.',
  options: [],
  examples: [
    ['aisec cache check --quiet', 'For monitoring: exit 3 when an entry is not as in the database'],
    ['aisec cache check --json', 'For a program: the entries that differ'],
  ],
  run,
});
