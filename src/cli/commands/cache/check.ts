import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { noteOfSync, renderDifferences } from './sync.js';

async function run(context: Context): Promise<ExitCode | undefined> {
  const { output, progress } = context;
  const result = await context.withCache(async (access) =>
    context.withDatabase({}, async (session) => {
      const { syncCache } = await import('../../../features/cache/sync.js');
      return syncCache(session, access, true, { onProgress: progress.report });
    }),
  );
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
