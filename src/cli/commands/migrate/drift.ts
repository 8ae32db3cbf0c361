import { AisecError } from '../../../base/errors.js';
import type { DriftResult } from '../../../features/migrate/drift/drift.js';
import { defineCommand, type Context, type ExitCode } from '../../command.js';
import { countDrift, fixScript, renderDrift } from './drift-text.js';
import { REPLAY_ON_SERVER_OPTION, replayOnServer, replaySettings } from './settings.js';

interface Options {
  readonly sql: boolean;
  readonly server: boolean;
  readonly ignoreFile?: string;
}

async function run(context: Context, { sql, server, ignoreFile }: Options): Promise<ExitCode | undefined> {
  const { output, config } = context;
  if (sql && output.options.isJson)
    throw new AisecError('USAGE', '--sql and --json cannot be used together', {
      hint: 'Each finding of --json has its fix.',
    });
  const { readDriftIgnores } = await import('../../../features/migrate/drift/ignore-file.js');
  const ignores = readDriftIgnores(ignoreFile, config.cwd);
  const settings = await replaySettings(context);
  if (server) await context.serverAccess();
  const result = await context.withDatabase({ statementTimeoutMs: 60_000 }, async (session) => {
    const { findDrift } = await import('../../../features/migrate/drift/drift.js');
    const place = server ? await replayOnServer(context, session) : {};
    return findDrift(session, { ...settings, ...place, ignores });
  });
  if (sql) output.text(fixScript(result.findings));
  else output.result(result, ({ findings }: DriftResult, renderer) => renderDrift(findings, renderer));
  const { database, findings, migrations, at, isDrifted, ignored, ignoreProblems } = result;
  for (const { id, problem } of ignoreProblems) output.warning(`ignore file: ${id}: ${problem}`);
  const left = ignored.length === 0 ? '' : `, ${ignored.length} ignored`;
  output.note(`${database}: ${countDrift(findings)}${left}, compared with ${migrations} migrations up to ${at ?? ''}.`);
  if (isDrifted && !sql) output.note('All fixes as one script: aisec migrate drift --sql');
  return isDrifted ? 3 : undefined;
}

export const migrateDrift = defineCommand<Options>({
  name: 'migrate drift',
  summary: 'compare the database with what its recorded migrations make',
  description:
    'Replays the recorded migrations in the embedded PostgreSQL, compares the catalogs by object and property, and exits 3 when they differ; each finding comes with ' +
    'the SQL that fixes it, and policies and grants with the side that is wider. Reads only. Months of messages, versions of the server and of extensions, and ' +
    'how the vector index is built are not drift; whole objects beside those of the migrations are notices. The replay is kept in AISEC_CACHE_DIR. ' +
    'Findings are ignored by id or pattern, with a reason and a last day, in .aisec-drift.json.',
  options: [
    { flags: '--sql', description: 'print the fixes as one script instead of the findings' },
    REPLAY_ON_SERVER_OPTION,
    { flags: '--ignore-file <file>', description: 'findings to ignore (default: .aisec-drift.json, if it is there)' },
  ],
  examples: [
    ['aisec migrate drift', 'Show what was changed past the migrations'],
    ['aisec migrate drift --quiet', 'For a nightly job: exit 3 when something differs'],
    ['aisec migrate drift --sql > fix.sql', 'Write the SQL that takes the database back'],
  ],
  isPaged: true,
  run,
});
