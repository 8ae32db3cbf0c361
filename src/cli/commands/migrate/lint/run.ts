import { isBundled } from '../../../../features/migrate/files/source.js';
import type { LintResult } from '../../../../features/migrate/lint/lint.js';
import type { LiveFacts } from '../../../../features/migrate/lint/live-facts.js';
import type { MigrateSettings } from '../../../../features/migrate/prepare.js';
import type { Rule } from '../../../../features/migrate/lint/rule.js';
import type { Context } from '../../../context.js';
import { migrateSettings } from '../settings.js';

export interface LintWishes {
  readonly rule: readonly string[];
  readonly exclude: readonly string[];
  readonly serverVersion?: number;
  readonly offline: boolean;
}

const OLDEST_SERVER = 16;

interface Connected {
  readonly pending: ReadonlySet<string>;
  readonly live: LiveFacts;
  readonly serverMajor: number;
}

/** What the configured server says; undefined without one. Reads only. */
async function askServer(context: Context, settings: MigrateSettings): Promise<Connected | undefined> {
  const { resolveDatabaseTarget } = await import('../../../../config/database-target.js');
  if (resolveDatabaseTarget(context.config).kind === 'embedded') return undefined;
  return context.withDatabase({ statementTimeoutMs: 30_000 }, async (session) => {
    const [{ pendingOnServer }, { readLiveFacts }] = await Promise.all([
      import('../../../../features/migrate/lint/pending.js'),
      import('../../../../features/migrate/lint/live-facts.js'),
    ]);
    return {
      pending: await pendingOnServer(session, settings),
      live: await readLiveFacts(session, settings.schema),
      serverMajor: Math.floor(session.info.serverVersion / 10_000),
    };
  });
}

/** Reads the files, asks the server where one is configured, and looks at them on a database in memory. */
export async function lintNow(
  context: Context,
  options: LintWishes,
  operands: readonly string[],
): Promise<{ readonly result: LintResult; readonly rules: readonly Rule[] }> {
  const { config, progress } = context;
  const [{ selectRules }, { ALL_RULES }, { filesToLint }] = await Promise.all([
    import('../../../../features/migrate/lint/select-rules.js'),
    import('../../../../features/migrate/lint/all-rules.js'),
    import('../../../../features/migrate/lint/files-to-lint.js'),
  ]);
  const rules = selectRules(options.rule, options.exclude);
  const settings = await migrateSettings(context);
  const { files: all, schema, extensionSchema } = settings;
  const connected = options.offline ? undefined : await askServer(context, settings);
  const wanted = await filesToLint({ all, cwd: config.cwd, operands, pending: connected?.pending });
  const [{ withReplay }, { lintMigrations }] = await Promise.all([
    import('../../../../features/migrate/replay/replayed-database.js'),
    import('../../../../features/migrate/lint/lint.js'),
  ]);
  progress.report('starting an embedded database in memory');
  const result = await withReplay(
    { files: wanted.earlier, schema, extensionSchema },
    { session: context.scratchOptions(context.signal), cacheDir: config.cacheDir },
    async (session) =>
      lintMigrations(session, {
        schema,
        extensionSchema,
        files: wanted.files,
        isOneBatch: operands.length > 0 || connected !== undefined || wanted.files.every(({ file }) => isBundled(file)),
        rules,
        knownRules: new Set(ALL_RULES.map(({ id }) => id)),
        serverMajor: options.serverVersion ?? connected?.serverMajor ?? OLDEST_SERVER,
        live: connected?.live,
        now: new Date(),
        onProgress: progress.report,
      }),
  );
  return { result, rules };
}
