import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findViolations, type Violation } from '../support/dependency-rules.js';
import { writeTree } from '../support/write-tree.js';

const root = path.join(import.meta.dirname, '..', '..');

// What src/ imports is looked at by `npm run layers`; here are its rules.
describe('the rules', () => {
  /** Rule, file that breaks it, what it imports. */
  const planted: readonly (readonly [rule: string, from: string, to: string])[] = [
    ['no-unresolved', 'src/base/lost.ts', './missing.js'],
    ['base-is-a-leaf', 'src/base/a.ts', '../config/a.js'],
    ['schema-is-a-leaf', 'src/schema/a.ts', '../base/b.js'],
    ['config-uses-base', 'src/config/b.ts', '../adapters/postgres/a.js'],
    ['adapters-use-leaves', 'src/adapters/postgres/b.ts', '../../features/migrate/a.js'],
    ['features-use-adapters', 'src/features/migrate/b.ts', '../../client/a.js'],
    ['client-stands-beside-features', 'src/client/b.ts', '../features/migrate/a.js'],
    ['testing-applies-migrations', 'src/testing/b.ts', '../cli/context.js'],
    ['terminal-uses-base', 'src/cli/terminal/a.ts', '../../config/a.js'],
    ['commands-use-features', 'src/cli/commands/seed.ts', '../../client/a.js'],
    ['context-is-the-composition-root', 'src/cli/main.ts', '../adapters/postgres/a.js'],
    ['one-file-lists-the-commands', 'src/cli/command.ts', './commands/backup.js'],
    ['library-does-not-know-the-cli', 'src/features/migrate/c.ts', '../../cli/exit-codes.js'],
    ['nothing-imports-the-library-face', 'src/client/c.ts', '../index.js'],
    ['command-not-to-other-noun', 'src/cli/commands/migrate/a.ts', '../backup.js'],
    ['command-not-to-other-noun', 'src/cli/commands/doctor.ts', './backup.js'],
    ['client-stands-beside-features', 'src/client/e.ts', '../features/cache/keys.js'],
    ['testing-applies-migrations', 'src/testing/d.ts', '../features/migrate/a.js'],
    ['feature-by-its-index', 'src/features/migrate/d.ts', '../backup/a.js'],
    ['feature-by-its-index', 'src/features/migrate/j.ts', '../backup/checks.js'],
    ['doctor-collects-checks', 'src/features/doctor/b.ts', '../backup/a.js'],
    ['terminal-packages-live-in-cli', 'src/features/migrate/e.ts', 'chalk'],
    ['drivers-live-in-adapters', 'src/features/migrate/f.ts', 'pg'],
    ['drivers-live-in-adapters', 'src/client/d.ts', 'ioredis'],
    ['drivers-live-in-adapters', 'src/testing/c.ts', '@electric-sql/pglite'],
    ['drivers-live-in-adapters', 'src/features/migrate/g.ts', 'node-pg-migrate'],
    ['drivers-live-in-adapters', 'src/features/migrate/h.ts', 'libpg-query'],
    ['drivers-live-in-adapters', 'src/features/migrate/i.ts', 'node:child_process'],
    ['stores-live-in-object-store', 'src/adapters/postgres/d.ts', '@aws-sdk/client-s3'],
    ['age-lives-in-encryption', 'src/adapters/postgres/e.ts', 'age-encryption'],
    ['no-development-packages', 'src/adapters/postgres/c.ts', 'prettier'],
  ];

  /** What the rules allow, and what the planted imports point at. */
  const allowed: Readonly<Record<string, readonly string[]>> = {
    'src/index.ts': ['./features/migrate/a.js', './adapters/postgres/a.js', './config/a.js', './base/b.js'],
    'src/base/b.ts': [],
    'src/config/a.ts': ['../base/b.js'],
    'src/schema/b.ts': ['kysely'],
    'src/adapters/postgres/a.ts': ['pg', 'node:child_process', '@electric-sql/pglite', '../../schema/b.js'],
    'src/features/migrate/a.ts': ['../../adapters/postgres/a.js', '../../config/a.js', 'kysely'],
    'src/features/backup/a.ts': ['../../base/b.js'],
    'src/features/backup/checks.ts': ['../../base/b.js'],
    'src/features/backup/index.ts': ['./a.js'],
    'src/features/cache/index.ts': ['./keys.js'],
    'src/features/cache/keys.ts': [],
    'src/features/doctor/a.ts': ['../backup/checks.js', '../backup/index.js'],
    'src/features/migrate/index.ts': ['./a.js'],
    'src/features/vector/a.ts': ['../backup/index.js'],
    'src/client/a.ts': ['../adapters/postgres/a.js', '../schema/b.js', '../features/cache/index.js'],
    'src/testing/a.ts': ['../adapters/postgres/a.js', '../features/migrate/index.js'],
    'src/cli/exit-codes.ts': ['../base/b.js'],
    'src/cli/context.ts': ['../adapters/postgres/a.js'],
    'src/cli/program.ts': ['./commands.js', 'commander'],
    'src/cli/commands.ts': ['./commands/backup.js', './commands/restore/a.js'],
    'src/cli/commands/backup.ts': ['../context.js', '../../features/backup/a.js'],
    'src/cli/commands/restore/a.ts': ['./b.js'],
    'src/cli/commands/restore/b.ts': ['../../../features/doctor/a.js', '../../exit-codes.js'],
  };

  /** A circle, and a module that nothing imports. */
  const odd: Readonly<Record<string, readonly string[]>> = {
    'src/base/circle.ts': ['./round.js'],
    'src/base/round.ts': ['./circle.js'],
    'src/base/alone.ts': [],
  };

  let tree = '';
  let violations: readonly Violation[] = [];

  beforeAll(async () => {
    tree = await writeTree(root, {
      ...allowed,
      ...odd,
      ...Object.fromEntries(planted.map(([, from, to]) => [from, [to]])),
    });
    violations = findViolations(tree);
  });
  afterAll(() => rm(tree, { recursive: true, force: true }));

  test.each(planted)('%s: %s must not import %s', (rule, from, to) => {
    expect(violations.filter((violation) => violation.from === from).map(({ rule }) => rule)).toContain(rule);
    expect(violations.find((violation) => violation.rule === rule && violation.from === from)?.sentence).toContain(
      path.basename(to, '.js').replace('node:', ''),
    );
  });

  test('let the layers import what stands below them', () => {
    expect(violations.filter(({ from }) => from in allowed)).toEqual([]);
  });

  test('refuse a circle and a module that nothing imports', () => {
    const sentences = violations.filter(({ from }) => from in odd).map(({ sentence }) => sentence);
    expect(sentences).toEqual([
      expect.stringContaining(
        'src/base/circle.ts imports src/base/round.ts, which imports src/base/circle.ts: modules must not',
      ),
      expect.stringContaining('src/base/alone.ts: a module that nothing imports is dead'),
    ]);
  });
});
