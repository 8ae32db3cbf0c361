import { isBundled } from '../../../../features/migrate/files/source.js';
import type { LintResult } from '../../../../features/migrate/lint/lint.js';
import type { MigrationFile } from '../../../../features/migrate/files/migration-file.js';
import type { LintFinding } from '../../../../features/migrate/lint/lint-finding.js';
import type { Live } from '../../../../features/migrate/lint/server/live-facts.js';
import type { MigrateSettings } from '../../../../features/migrate/prepare.js';
import type { Rule } from '../../../../features/migrate/lint/rule.js';
import type { Context } from '../../../context.js';
import { migrateSettings } from '../settings.js';

export interface LintWishes {
  readonly rule: readonly string[];
  readonly exclude: readonly string[];
  readonly serverVersion?: number;
  readonly offline: boolean;
  readonly against?: string;
}

const OLDEST_SERVER = 16;

interface Connected {
  readonly pending: ReadonlySet<string>;
  readonly live: Live;
  readonly serverMajor: number;
}

/** Runs the callback with what the configured server says, undefined without one. Reads only. */
async function withServer<Result>(
  context: Context,
  settings: MigrateSettings,
  isOffline: boolean,
  use: (connected: Connected | undefined) => Promise<Result>,
): Promise<Result> {
  const { resolveDatabaseTarget } = await import('../../../../config/database-target.js');
  if (isOffline || resolveDatabaseTarget(context.config).kind === 'embedded') return use(undefined);
  return context.withDatabase({ statementTimeoutMs: 30_000 }, async (session) => {
    const { pendingOnServer, readLive } = await import('../../../../features/migrate/lint/server/live-facts.js');
    return use({
      pending: await pendingOnServer(session, settings),
      live: await readLive(session, settings.schema),
      serverMajor: Math.floor(session.info.serverVersion / 10_000),
    });
  });
}

/** The files of another branch, with what both orders of them make. */
async function compareBranches(
  { config, scratchOptions, signal, progress }: Context,
  settings: MigrateSettings,
  ref: string,
): Promise<{ readonly ours: readonly MigrationFile[]; readonly further: readonly LintFinding[] }> {
  const [{ branchesOf, branchFindings }, { withReplay }] = await Promise.all([
    import('../../../../features/migrate/lint/branches.js'),
    import('../../../../features/migrate/replay/replayed-database.js'),
  ]);
  const branches = await branchesOf(settings.files, config.migrationPlaces, ref);
  progress.report(`applying the files of both branches in both orders`);
  const further = await branchFindings(branches, settings, (files, use) =>
    withReplay(
      { ...settings, files },
      { session: scratchOptions(signal, { isBrief: true }), cacheDir: config.cacheDir },
      use,
    ),
  );
  return { ours: branches.ours, further };
}

/** Reads the files, asks the server where one is configured, and looks at them on a database in memory. */
export async function lintNow(
  context: Context,
  options: LintWishes,
  operands: readonly string[],
): Promise<{ readonly result: LintResult; readonly rules: readonly Rule[] }> {
  const [{ selectRules }, { ALL_RULES }] = await Promise.all([
    import('../../../../features/migrate/lint/select-rules.js'),
    import('../../../../features/migrate/lint/all-rules.js'),
  ]);
  const rules = selectRules(options.rule, options.exclude);
  const settings = await migrateSettings(context);
  const branches =
    options.against === undefined ? undefined : await compareBranches(context, settings, options.against);
  const knownRules = new Set(ALL_RULES.map(({ id }) => id));
  const result = await withServer(context, settings, options.offline, (connected) =>
    lintFiles(context, { settings, options, operands, connected, branches, rules, knownRules }),
  );
  return { result, rules };
}

interface Lint {
  readonly settings: MigrateSettings;
  readonly options: LintWishes;
  readonly operands: readonly string[];
  readonly connected: Connected | undefined;
  readonly branches: Awaited<ReturnType<typeof compareBranches>> | undefined;
  readonly rules: readonly Rule[];
  readonly knownRules: ReadonlySet<string>;
}

async function lintFiles({ config, progress, scratchOptions, signal }: Context, lint: Lint): Promise<LintResult> {
  const { operands, connected, branches, rules, knownRules, options } = lint;
  const { files: all, schema, extensionSchema } = lint.settings;
  const [{ filesToLint }, { withReplay }, { lintMigrations }] = await Promise.all([
    import('../../../../features/migrate/lint/files-to-lint.js'),
    import('../../../../features/migrate/replay/replayed-database.js'),
    import('../../../../features/migrate/lint/lint.js'),
  ]);
  const wanted = await filesToLint({
    all,
    cwd: config.cwd,
    operands,
    pending: connected?.pending,
    ours: branches?.ours,
  });
  const isOneBatch =
    operands.length > 0 ||
    connected !== undefined ||
    branches !== undefined ||
    wanted.files.every(({ file }) => isBundled(file));
  progress.report('starting an embedded database in memory');
  return withReplay(
    { files: wanted.earlier, schema, extensionSchema },
    { session: scratchOptions(signal, { isBrief: true }), cacheDir: config.cacheDir },
    async (session) =>
      lintMigrations(session, {
        schema,
        extensionSchema,
        files: wanted.files,
        isOneBatch,
        rules,
        knownRules,
        further: branches?.further.filter(({ rule }) => rules.some(({ id }) => id === rule)) ?? [],
        serverMajor: options.serverVersion ?? connected?.serverMajor ?? OLDEST_SERVER,
        live: connected?.live,
        now: new Date(),
        onProgress: progress.report,
      }),
  );
}
