import type { Serving } from '../../../../features/monitor/serve.js';
import { defineCommand, type Context } from '../../../command.js';
import { exitCodeOf, type ExitCode } from '../../../exit-codes.js';
import { portOptionSpec } from '../../../options.js';
import { PAGE_OPTIONS, pageReader, type PageOptions } from './read-page.js';

interface Options extends PageOptions {
  readonly port: number;
}

async function run(context: Context, options: Options): Promise<ExitCode> {
  const { output, progress, signal } = context;
  const read = await pageReader(context, options);
  await context.withDatabase({}, async (session) => {
    const { serveReport } = await import('../../../../features/monitor/serve.js');
    await serveReport(session, {
      port: options.port,
      signal,
      onReady: (serving: Serving) => {
        output.result(serving, () => serving.url);
        output.note(`Ready: the report of "${serving.database}", for those who have the address. Ctrl-C ends.`);
      },
      read: async () => {
        try {
          return await read(session);
        } finally {
          progress.clear();
        }
      },
    });
  });
  return exitCodeOf(signal);
}

export const monitorServe = defineCommand<Options>({
  name: 'monitor serve',
  summary: 'serve the report as a live page on this machine',
  description:
    'Serves the page of `monitor report` on 127.0.0.1 until Ctrl-C and prints its address, which holds a random token: only those who have the address see the page. ' +
    'A browser that shows it looks every two seconds, and the sections that have changed are replaced. The report is read again only when something has happened in the database, with one ' +
    'connection, read-only, and at most a tenth of the time. The page cannot change anything.',
  options: [portOptionSpec('8433'), ...PAGE_OPTIONS],
  examples: [
    ['aisec monitor serve', 'Then open the address that it prints'],
    [
      'aisec monitor serve --port 0 --size-limit 500GB',
      'On any free port, with the month in which the disk will be full',
    ],
  ],
  run,
});
