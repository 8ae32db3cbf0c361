// The layers of src/, top to bottom: cli > features > adapters > { schema, config, base }.
// client/ and testing/ stand beside features. A comment is the sentence that a violation is reported with.

/** What stands in `from` may import, within src/, only what matches `to`. */
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: to },
});

const forbid = (name, from, to, comment) => ({ name, comment, severity: 'error', from, to });

/** A package as an import names it, installed (node_modules/pg/...) or not found (pg). */
const packages = (...names) => `(^|node_modules/)(${names.join('|')})(/|$)`;

const drivers = packages(
  'pg',
  'pg-[^/]+',
  'ioredis',
  '@electric-sql/[^/]+',
  'node-pg-migrate',
  'libpg-query',
  '@aws-sdk/[^/]+',
  'age-encryption',
);

module.exports = {
  forbidden: [
    forbid('no-cycles', {}, { circular: true }, 'modules must not import each other in a circle'),
    forbid('no-orphans', { orphan: true, pathNot: '\\.d\\.ts$' }, {}, 'a module that nothing imports is dead'),
    forbid('no-unresolved', {}, { couldNotResolve: true }, 'what is imported must exist'),

    only('base-is-a-leaf', '^src/base/', '^src/base/', 'base imports nothing of ours'),
    only('schema-is-a-leaf', '^src/schema/', '^src/schema/', 'schema imports nothing of ours'),
    only('config-uses-base', '^src/config/', '^src/(config|base)/', 'config imports only base'),
    only(
      'adapters-use-leaves',
      '^src/adapters/',
      '^src/(adapters|schema|config|base)/',
      'adapters import only schema, config and base',
    ),
    only(
      'features-use-adapters',
      '^src/features/',
      '^src/(features|adapters|schema|config|base)/',
      'features import only features, adapters, schema, config and base',
    ),
    // A service's cache and `aisec cache` share one protocol in Redis, which is a part of the feature; exporting and erasing a
    // person is one piece of work, whether a service or a command asks for it.
    only(
      'client-stands-beside-features',
      '^src/client/',
      '^src/(client/|features/(cache|user)/index\\.ts$|(adapters|schema|config|base)/)',
      'client imports only the index of the cache and of user, adapters, schema, config and base',
    ),
    only(
      'testing-applies-migrations',
      '^src/testing/',
      '^src/(testing/|client/|features/migrate/index\\.ts$|(adapters|schema|config|base)/)',
      'testing imports only the index of migrate, the client, adapters, schema, config and base',
    ),
    only(
      'zod-uses-the-client',
      '^src/zod/',
      '^src/(zod|client|schema|base)/',
      'the validators import only the client, schema and base',
    ),
    only(
      'telemetry-uses-the-client',
      '^src/telemetry/',
      '^src/(telemetry|client|adapters/postgres/pool|base)/',
      'telemetry imports only the client, the pool and base',
    ),
    forbid(
      'opentelemetry-lives-in-its-entry',
      { path: '^src/', pathNot: '^src/telemetry/' },
      { path: packages('@opentelemetry/[^/]+') },
      'OpenTelemetry is optional: only aisec/telemetry imports it',
    ),
    forbid(
      'zod-lives-in-its-entry',
      { path: '^src/', pathNot: '^src/zod/' },
      { path: packages('zod') },
      'zod is optional: only aisec/zod imports it',
    ),
    only('terminal-uses-base', '^src/cli/terminal/', '^src/(cli/terminal|base)/', 'the terminal imports only base'),
    only(
      'commands-use-features',
      '^src/cli/commands/',
      '^src/(cli/commands/|cli/terminal/|cli/completion/(bash|zsh|fish|node)\\.ts$|cli/(backup-place|command|context|diagnose|exit-codes|migrate-settings|options|reporting|table-name|thresholds)\\.ts$|features/|config/|base/)',
      'commands import only the terminal, features, config and base',
    ),

    forbid(
      'context-is-the-composition-root',
      { path: '^src/cli/', pathNot: '^src/cli/context\\.ts$' },
      { path: '^src/adapters/' },
      'of the cli only context.ts imports adapters',
    ),
    forbid(
      'one-file-lists-the-commands',
      { path: '^src/', pathNot: '^src/cli/(commands\\.ts$|commands/)' },
      { path: '^src/cli/commands/' },
      'only commands.ts imports commands',
    ),
    forbid(
      'library-does-not-know-the-cli',
      { path: '^src/', pathNot: '^src/cli/' },
      { path: '^src/cli/' },
      'nothing below the cli imports it',
    ),
    forbid(
      'nothing-imports-the-library-face',
      { path: '^src/' },
      { path: '^src/index\\.ts$' },
      'src/index.ts is for other packages; import the module itself',
    ),
    forbid(
      'command-not-to-other-noun',
      { path: '^src/cli/commands/([^/.]+)' },
      { path: '^src/cli/commands/', pathNot: '^src/cli/commands/$1[/.]' },
      'a command does not import the command of another noun',
    ),
    forbid(
      'feature-by-its-index',
      { path: '^src/features/([^/]+)/', pathNot: '^src/features/doctor/' },
      { path: '^src/features/[^/]+/', pathNot: '^src/features/($1/|[^/]+/index\\.ts$)' },
      'a feature imports another one by its index.ts only, never its inside',
    ),
    forbid(
      'doctor-collects-checks',
      { path: '^src/features/doctor/' },
      { path: '^src/features/[^/]+/', pathNot: '^src/features/(doctor/|[^/]+/(index|checks)\\.ts$)' },
      'of the other features doctor imports only their index.ts and checks.ts',
    ),

    forbid(
      'terminal-packages-live-in-cli',
      { path: '^src/', pathNot: '^src/cli/' },
      { path: packages('chalk', 'commander', 'ora', 'string-width', 'wrap-ansi') },
      'chalk, commander, ora, string-width and wrap-ansi are imported only in src/cli',
    ),
    forbid(
      'drivers-live-in-adapters',
      { path: '^src/', pathNot: '^src/adapters/' },
      { path: `${drivers}|^(node:)?child_process$` },
      'drivers, parsers of SQL and child_process are imported only in src/adapters',
    ),
    forbid(
      'stores-live-in-object-store',
      { path: '^src/', pathNot: '^src/adapters/object-store/' },
      { path: packages('@aws-sdk/[^/]+') },
      'the SDK of S3-compatible stores is imported only in src/adapters/object-store',
    ),
    forbid(
      'age-lives-in-encryption',
      { path: '^src/', pathNot: '^src/adapters/encryption/' },
      { path: packages('age-encryption') },
      'age is imported only in src/adapters/encryption',
    ),
    forbid(
      'zip-lives-in-files',
      { path: '^src/', pathNot: '^src/adapters/files/' },
      { path: packages('yazl') },
      'ZIP files are written only in src/adapters/files',
    ),
    forbid(
      'no-development-packages',
      { path: '^src/' },
      {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm-peer', 'npm-optional'],
        // Bundled (build.js, library.js).
        pathNot: packages(
          '@electric-sql/pglite-tools',
          'chalk',
          'commander',
          'ioredis',
          'node-pg-migrate',
          'ora',
          'pg-copy-streams',
          'pgvector',
          'string-width',
          'wrap-ansi',
          'yaml',
          'yazl',
        ),
      },
      'a package that src/ imports is a dependency or a peer, or it is missing where aisec is installed',
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count too.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
