import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openNew } from '../../../src/adapters/embedded/embedded.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import { branchFindings } from '../../../src/features/migrate/lint/branches.js';
import { readMigrationFolder } from '../../../src/features/migrate/files/migration-folder.js';
import { ALL_RULES } from '../../../src/features/migrate/lint/all-rules.js';
import { commentLinesAbove } from '../../../src/features/migrate/lint/ignores.js';
import type { LintFinding } from '../../../src/features/migrate/lint/lint-finding.js';
import type { LintResult } from '../../../src/features/migrate/lint/lint.js';
import type { Live } from '../../../src/features/migrate/lint/server/live-facts.js';
import type { Rule, RuleExample } from '../../../src/features/migrate/lint/rule.js';
import { withReplay } from '../../../src/features/migrate/replay/replayed-database.js';
import { openTestSession } from '../catalog/catalog-session.js';
import { emptySchema, fixFiles, LINT_SESSION, lintFile, lintOn } from '../../support/lint.js';
import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { cacheDirOfRun } from '../../support/run-in-process.js';

const examples = ALL_RULES.filter(({ kind }) => kind !== 'branch');
const plain = examples.filter(({ example }) => example.needsPlatform !== true);
const onPlatform = examples.filter(({ example }) => example.needsPlatform === true);
/** All of them are tried on the server: a replay of the bundled migrations for each look is dear. */
const onReplay = onPlatform.slice(0, 1);

let session: Session;

beforeAll(async () => {
  ({ session } = await openNew(LINT_SESSION));
});
afterAll(async () => {
  await session.close();
});

type Text = 'bad' | 'good';

/** Of a rule that asks a server: its rows and settings are a part of the example. */
function liveOf({ server, rows }: RuleExample): Live | undefined {
  if (server === undefined) return undefined;
  return {
    relations: new Map([['notes', { rows, partitions: [] }]]),
    server,
    count: () => Promise.resolve(undefined),
  };
}

/** Says which statements of an example do not run. */
const FAILS = 'statement-fails';

const defaultsAnd = (rule: Rule): readonly Rule[] =>
  ALL_RULES.filter((other) => other.isOptional !== true || other === rule);

/** The rules that an example of one is about: itself, and for an ignore comment those that it may name. */
const rulesOf = (rule: Rule): readonly Rule[] =>
  rule.id === 'unused-ignore' ? defaultsAnd(rule) : ALL_RULES.filter((other) => other === rule || other.id === FAILS);

/** Looks at an example with its own rule: what the other ones say of it does not matter. */
async function look(on: Session, rule: Rule, which: Text): Promise<LintResult> {
  const { before, isBadOutside, isGoodOutside } = rule.example;
  const isOutside = which === 'bad' ? isBadOutside : isGoodOutside;
  const file = lintFile('0002_example', rule.example[which], isOutside);
  return lintOn(on, [file], {
    live: liveOf(rule.example),
    ...(before !== undefined && { before }),
    rules: rulesOf(rule),
  });
}

const of = (rule: Rule, { findings }: LintResult): readonly LintFinding[] =>
  findings.filter((finding) => finding.rule === rule.id);
/** Whoever writes an example of one rule does not care for comments and policies. */
const BESIDE = new Set(['comment-missing', 'row-security-missing', 'index-name', 'pii-class-missing']);
const failed = ({ findings }: LintResult): readonly LintFinding[] => findings.filter(({ id }) => id.startsWith(FAILS));

/** The example without the statement that the finding is shown at, and without the comments above it. */
function restOf({ bad, isBadOutside, fixReplacesAll }: RuleExample, { line, endLine }: LintFinding): string {
  const { content, up } = lintFile('0002_example', bad, isBadOutside);
  const comments = commentLinesAbove(content, line);
  const kept = bad.split('\n').filter((_, index) => {
    const number = index + up.line;
    return (number < line || number > endLine) && !comments.has(number);
  });
  return fixReplacesAll === true ? '' : kept.join('\n').trim();
}

/**
 * What a rule on the catalog says is to be run after the migration, all others instead of the statement. All default rules
 * look at it.
 */
async function fixOf(on: Session, rule: Rule, finding: LintFinding): Promise<LintResult> {
  const { before, bad, isBadOutside } = rule.example;
  const rest = rule.kind === 'state' ? bad : restOf(rule.example, finding);
  const first = rest === '' ? [] : [lintFile('0002_example', rest, isBadOutside)];
  return lintOn(on, [...first, ...fixFiles(finding.fix ?? '')], {
    live: liveOf(rule.example),
    ...(before !== undefined && { before }),
    rules: defaultsAnd(rule),
  });
}

type WithDatabase = (use: (on: Session) => Promise<void>) => Promise<void>;

const onEmpty: WithDatabase = async (use) => {
  await emptySchema(session);
  await use(session);
};
/** One database of the server, emptied before each use. */
let serverSession: Session | undefined;
const onEmptyServer: WithDatabase = async (use) => {
  serverSession ??= await openTestSession((await createServerDatabase()).url);
  await emptySchema(serverSession);
  await use(serverSession);
};
const onBundledServer: WithDatabase = async (use) => {
  const database = await createServerDatabase({ migrated: true });
  const on = await openTestSession(database.url);
  try {
    await use(on);
  } finally {
    await on.close();
    await database.drop();
  }
};
afterAll(async () => {
  await serverSession?.close();
});

const onBundled: WithDatabase = async (use) => {
  const files = await readMigrationFolder(path.join(import.meta.dirname, '../../../migrations'), '/');
  const settings = { files, schema: 'public', extensionSchema: 'public' };
  await withReplay(settings, { session: LINT_SESSION, cacheDir: cacheDirOfRun() }, use);
};

async function examine(rule: Rule, withDatabase: WithDatabase): Promise<void> {
  let finding: LintFinding | undefined;
  await withDatabase(async (on) => {
    const result = await look(on, rule, 'bad');
    expect(of(rule, result), 'the bad example is found').not.toEqual([]);
    if (rule.id !== FAILS && rule.example.isRefused !== true)
      expect(failed(result), 'the bad example runs').toEqual([]);
    expect(result.notAnalysed.length, 'the bad example is read').toBe(rule.example.isUnreadable === true ? 1 : 0);
    [finding] = of(rule, result);
  });
  await withDatabase(async (on) => {
    const result = await look(on, rule, 'good');
    expect(of(rule, result), 'the good example is silent').toEqual([]);
    // The good one of a statement that fails is the bad one on another schema.
    if (rule.id !== FAILS) expect(failed(result), 'the good example runs').toEqual([]);
  });
  if (finding?.fix === null || finding === undefined) return;
  const found = finding;
  await withDatabase(async (on) => {
    const result = await fixOf(on, rule, found);
    const left = result.findings.filter((finding) => !BESIDE.has(finding.rule) || finding.rule === rule.id);
    expect(
      left.map(({ id, message }) => `${id}: ${message}`),
      `the fix passes:\n${found.fix}`,
    ).toEqual([]);
    expect(result.notAnalysed).toEqual([]);
  });
}

describe('each rule finds its bad example, is silent about its good one, and gives a fix that passes', () => {
  test.each(plain.map((rule) => [rule.id, rule] as const))('%s', async (_id, rule) => {
    await examine(rule, onEmpty);
  });

  test.each(onReplay.map((rule) => [rule.id, rule] as const))('%s', async (_id, rule) => {
    await examine(rule, onBundled);
  });
});

/** NOT NULL … NOT VALID, and what else the embedded PostgreSQL 18 knows, are not there in older servers. */
const NEEDS_18 = new Set<string>([]);

describeOnServer('each of them on the server as well', () => {
  test.each(plain.filter(({ id }) => !NEEDS_18.has(id)).map((rule) => [rule.id, rule] as const))(
    '%s',
    async (_id, rule) => {
      await examine(rule, onEmptyServer);
    },
  );

  test.each(onPlatform.map((rule) => [rule.id, rule] as const))('%s', async (_id, rule) => {
    await examine(rule, onBundledServer);
  });
});

describe('a rule on two branches', () => {
  const branches = ALL_RULES.filter(({ kind }) => kind === 'branch');

  test.each(branches.map((rule) => [rule.id, rule] as const))('%s', async (id, { example }) => {
    const { before = '', theirs = '', bad, good } = example;
    const find = async (sql: string): Promise<readonly LintFinding[]> =>
      branchFindings(
        {
          ref: 'origin/main',
          base: [lintFile('0001_before', before)],
          ours: [lintFile('0003_ours', sql)],
          theirs: [lintFile('0002_theirs', theirs)],
        },
        { schema: 'public', extensionSchema: 'public' },
        (files, use) =>
          withReplay(
            { files, schema: 'public', extensionSchema: 'public' },
            { session: LINT_SESSION, cacheDir: cacheDirOfRun() },
            use,
          ),
      );
    expect((await find(bad)).map(({ rule }) => rule)).toEqual([id]);
    expect(await find(good)).toEqual([]);
  });
});
