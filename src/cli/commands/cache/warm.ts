import { setTimeout as sleep } from 'node:timers/promises';

import { interruptionError } from '../../../base/interruption.js';
import { defineCommand, type Context } from '../../command.js';
import { countOption, durationOption } from '../../options.js';

interface Options {
  readonly users: number;
  readonly stay: number;
  readonly dryRun: boolean;
}

async function run(context: Context, { users, stay, dryRun }: Options): Promise<void> {
  const { output, progress, signal } = context;
  await context.withCache(async (access) => {
    const result = await context.withDatabase({}, async (session) => {
      const { warmCache } = await import('../../../features/cache/warm.js');
      return warmCache(session, access, { users, isDryRun: dryRun }, { onProgress: progress.report });
    });
    output.result(result, () => '');
    output.note(
      `${result.redis}: ${result.entries} entries of ${result.settings} settings and ${result.users} users ${dryRun ? 'would be written (dry run)' : 'written'}.`,
    );
    if (!result.isShared && stay === 0)
      output.warning(
        'no service shares the cache now, so the entries will not be used; run it while services run, or with --stay',
      );
    if (stay === 0 || dryRun) return;
    output.note('Staying for services that start now ...');
    await sleep(stay, undefined, { signal }).catch(() => {
      throw interruptionError(signal);
    });
  });
}

export const cacheWarm = defineCommand<Options>({
  name: 'cache warm',
  summary: 'fill the cache with settings and the rows of recent users',
  description:
    'Reads all settings, and the preferences and assistants of the users who logged in last, each as that user, and puts them into Redis as services do. ' +
    'Entries stay valid as long as a process listens to changes without a gap: run it while services run, or with --stay until they have started.',
  options: [
    { flags: '--users <n>', description: 'how many users', default: '1000', parse: countOption(0) },
    {
      flags: '--stay <duration>',
      description: 'keep listening for so long, for services that start meanwhile',
      default: '0',
      parse: durationOption,
    },
    { flags: '--dry-run', description: 'read the rows and count the entries; write none' },
  ],
  examples: [
    ['aisec cache warm', 'After a flush, while services run'],
    ['aisec cache warm --users 5000 --stay 2m', 'Before services start: they take over from it'],
  ],
  run,
});
