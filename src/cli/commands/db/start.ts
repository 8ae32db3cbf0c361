import { relative } from 'node:path';

import { postgresVersion } from '../../../base/package/version.js';
import { defineCommand, type Context } from '../../command.js';
import { exitCodeOf, type ExitCode } from '../../exit-codes.js';
import { lockTimeoutOption, portOptionSpec } from '../../options.js';

interface Options {
  readonly port: number;
  readonly lockTimeout: number;
}

async function run(context: Context, { port, lockTimeout }: Options): Promise<ExitCode> {
  const { config, output, signal } = context;
  const [{ resolveDatabaseTarget }, { startDatabase }] = await Promise.all([
    import('../../../config/database-target.js'),
    import('../../../features/db/start.js'),
  ]);
  // A project's .env has the URL that this very command prints: it always means the embedded database.
  const target = resolveDatabaseTarget(
    { ...config, flags: {}, environment: {}, emptyAddresses: [], role: undefined },
    true,
  );
  if (target.kind !== 'embedded') return 1;
  await startDatabase(target, context.scratchOptions(signal), {
    port,
    lockTimeoutMs: lockTimeout,
    onReady: (served) => {
      const below = relative(config.cwd, served.dataDirectory);
      const near = below.startsWith('..') ? served.dataDirectory : below;
      output.result(served, () => served.url);
      output.note(`Ready: PostgreSQL ${postgresVersion(served.serverVersion)} in ${near}. Ctrl-C ends.`);
    },
  });
  return exitCodeOf(signal);
}

export const dbStart = defineCommand<Options>({
  name: 'db start',
  summary: 'serve the embedded database to psql and your application',
  description:
    'Serves the embedded database on 127.0.0.1 until Ctrl-C, for psql and an application while developing, and prints the URL to ' +
    'connect to. DATABASE_URL is not used. Every user of this machine can connect, without a password. The database has one session, which its ' +
    'clients share: one statement or transaction at a time, in the order in which they asked. While it is served no other command can open its directory; give them the URL.',
  options: [portOptionSpec('5433'), lockTimeoutOption('30s')],
  examples: [
    ['aisec db start', 'Then, elsewhere: psql postgres://postgres@127.0.0.1:5433/postgres'],
    ['aisec db start --port 0 --json', 'On any free port; the first document says which'],
  ],
  run,
});
