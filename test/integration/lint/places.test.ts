import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { openNew } from '../../../src/adapters/embedded/embedded.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import type { LintResult } from '../../../src/features/migrate/lint/lint.js';
import { emptySchema, LINT_SESSION, lintFile, lintOn, type LintWishes } from '../../support/lint.js';

const BEFORE = 'create table invoices (id bigint primary key, status text, note text);';

let session: Session;

beforeAll(async () => {
  ({ session } = await openNew(LINT_SESSION));
});
afterAll(async () => {
  await session.close();
});
beforeEach(async () => {
  await emptySchema(session);
});

const lint = async (up: string, wishes: LintWishes = {}): Promise<LintResult> =>
  lintOn(session, [lintFile('0002_example', up)], { before: BEFORE, ...wishes });
const places = ({ findings }: LintResult): readonly string[] =>
  findings.map(
    ({ file, line, column, endLine, endColumn, rule }) => `${file}:${line}:${column}-${endLine}:${endColumn} ${rule}`,
  );

describe('the place of a finding', () => {
  test('counts lines and columns from 1, and ends behind the statement', async () => {
    // The Up section begins in line 2 of the file.
    expect(places(await lint('alter table invoices\n  drop column note;'))).toEqual([
      'db/0002_example.sql:2:1-3:19 drop',
    ]);
  });

  test('counts characters, whatever bytes they take: kana, emoji, accents', async () => {
    const up = "comment on table invoices is '請求書 🧾 é'; /* 🎉 日本語 */ alter table invoices drop column note;";
    expect(places(await lint(up))).toEqual(['db/0002_example.sql:2:53-2:90 drop']);
  });

  test('is that of the statement in a DO block', async () => {
    const up = 'do $$\nbegin\n  if true then\n    alter table invoices drop column note;\n  end if;\nend\n$$;';
    expect(places(await lint(up))).toEqual(['db/0002_example.sql:5:5-5:42 drop']);
  });

  test('is that of EXECUTE for a text that is written out', async () => {
    const up = "do $$\nbegin\n  execute 'alter table invoices drop column note';\nend\n$$;";
    const result = await lint(up);
    expect(result.findings.map(({ line, rule }) => `${line} ${rule}`)).toEqual(['4 drop']);
  });
});

describe('EXECUTE of format()', () => {
  const execute = (argument: string): string =>
    `do $$\ndeclare\n  name text := 'invoices';\nbegin\n  execute format('alter table %I drop column note', ${argument});\nend\n$$;`;

  test('with arguments that are written out is looked at', async () => {
    const { findings, notAnalysed } = await lint(execute(`'invoices'`));
    expect(findings.map(({ line, rule }) => `${line} ${rule}`)).toEqual(['6 drop']);
    expect(notAnalysed).toEqual([]);
  });

  test('with the name of a table that is known only when it runs is not analysed, and says so', async () => {
    const { notAnalysed } = await lint(execute('name'));
    expect(notAnalysed.map(({ line, reason }) => `${line} ${reason}`)).toEqual([
      '6 EXECUTE with a name that is made when it runs',
    ]);
  });
});

describe('what is not analysed', () => {
  test('is named with its place: EXECUTE of a text that is made when it runs', async () => {
    const up = "do $$\ndeclare\n  statement text := 'select 1';\nbegin\n  execute statement;\nend\n$$;";
    expect((await lint(up)).notAnalysed).toEqual([
      {
        file: 'db/0002_example.sql',
        line: 6,
        column: 11,
        reason: 'EXECUTE of a text that is made when it runs',
      },
    ]);
  });

  test('is a statement that did not run for want of what the embedded database lacks', async () => {
    const { notAnalysed, findings } = await lint('create extension postgis;\nalter table invoices drop column note;');
    expect(notAnalysed.map(({ line }) => line)).toEqual([2]);
    expect(findings.map(({ rule }) => rule)).toEqual(['drop']);
  });
});

describe('-- aisec-ignore', () => {
  const DROP = 'alter table invoices drop column note;';
  const messages = ({ findings }: LintResult): readonly string[] =>
    findings.map(({ rule, message }) => `${rule}: ${message}`);

  test('keeps a finding silent, with a reason, and lists it as ignored', async () => {
    const result = await lint(`-- aisec-ignore drop: nobody reads it\n${DROP}`);
    expect(result.findings).toEqual([]);
    expect(result.ignored.map(({ rule }) => rule)).toEqual(['drop']);
  });

  test('without a reason ignores nothing, and is a finding', async () => {
    expect(messages(await lint(`-- aisec-ignore drop\n${DROP}`))).toEqual([
      'unused-ignore: the ignore of drop has no reason, so it ignores nothing',
      'drop: column note of invoices is dropped',
    ]);
  });

  test('of a rule that there is not names the nearest one', async () => {
    expect(messages(await lint(`-- aisec-ignore dropp: nobody reads it\n${DROP}`))[0]).toBe(
      'unused-ignore: there is no rule "dropp"; did you mean "drop"?',
    );
  });

  test('that finds nothing is a finding, at its own line', async () => {
    const result = await lint(`-- aisec-ignore truncate: test data\n-- aisec-ignore drop: nobody reads it\n${DROP}`);
    expect(places(result)).toEqual(['db/0002_example.sql:2:1-2:36 unused-ignore']);
  });

  test('of a rule that does not run today is left alone', async () => {
    const { ALL_RULES } = await import('../../../src/features/migrate/lint/all-rules.js');
    const rules = ALL_RULES.filter(({ id }) => id !== 'truncate');
    expect((await lint('-- aisec-ignore truncate: test data\nselect 1;', { rules })).findings).toEqual([]);
  });

  test('ends with its last day', async () => {
    const up = `-- aisec-ignore drop: nobody reads it (until 2027-03-31)\n${DROP}`;
    expect((await lint(up, { now: new Date('2027-03-31T23:59:00Z') })).findings).toEqual([]);
    await emptySchema(session);
    expect(messages(await lint(up, { now: new Date('2027-04-01T00:00:00Z') }))).toEqual([
      'unused-ignore: the ignore of drop has expired: it was valid until 2027-03-31 (nobody reads it)',
      'drop: column note of invoices is dropped',
    ]);
  });

  test('holds in a DO block, and above it', async () => {
    const block = (inside: string): string => `do $$\nbegin\n${inside}  ${DROP}\nend\n$$;`;
    expect((await lint(block('  -- aisec-ignore drop: nobody reads it\n'))).findings).toEqual([]);
    await emptySchema(session);
    expect((await lint(`-- aisec-ignore drop: nobody reads it\n${block('')}`)).findings).toEqual([]);
  });

  test('for the file holds for all its statements', async () => {
    const up = `${DROP}\n-- aisec-ignore-file drop: the whole table goes next week\nalter table invoices drop column status;`;
    const result = await lint(up);
    expect(result.findings).toEqual([]);
    expect(result.ignored).toHaveLength(2);
  });
});
