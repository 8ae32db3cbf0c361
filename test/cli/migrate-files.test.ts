import { describe, expect, test } from 'vitest';

import { migration, migrationsFolder } from '../support/migrations-folder.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

/** Nothing listens there: an error about a file proves that no connection was tried. */
const NOWHERE = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' };
const GOOD = migration('create table a (id int);', 'drop table a;');

function script(files: Readonly<Record<string, string | Buffer>>): Promise<CliResult> {
  return runInProcess(['migrate', 'up', '--sql', '--migrations-dir', `aisec=${migrationsFolder(files).dir}`], {
    env: NOWHERE,
  });
}

describe('a migrations directory', () => {
  test('may hold a README, editor backups, hidden files and a sum file: they are not migrations', async () => {
    const result = await script({
      '0001_a.sql': GOOD,
      'README.md': '# how we migrate',
      '0001_a.sql~': 'broken',
      '.0001_a.sql.swp': 'broken',
      '#0001_a.sql#': 'broken',
      'atlas.sum': 'x',
    });
    expect(result.stderr).toBe('');
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('create table a (id int);');
  });

  test.each([
    ['an empty file', { '0001_a.sql': '' }, /0001_a\.sql:1/],
    ['a broken marker', { '0001_a.sql': '-- up migration\nselect 1;\n' }, /0001_a\.sql:1/],
    ['a name with a quote', { "0001_don't.sql": GOOD }, /0001_don't\.sql:1/],
    ['a name without a number', { 'notes.sql': GOOD }, /notes\.sql:1/],
    ['a name with a capital ending', { '0001_a.SQL': GOOD }, /0001_a\.SQL:1/],
    [
      'two files with one number',
      { '0001_a.sql': GOOD, '0001_b.sql': GOOD },
      /the number 0001 is already taken by 0001_a\.sql/,
    ],
    [
      'a top-level COMMIT',
      { '0001_a.sql': migration('create table a (id int);\n/* so */ commit;') },
      /0001_a\.sql:3:10/,
    ],
    [
      'a top-level SET',
      { '0001_a.sql': migration("set search_path = '';\ncreate table a (id int);") },
      /use SET LOCAL/,
    ],
    [
      'CREATE INDEX CONCURRENTLY in a transaction',
      { '0001_a.sql': migration('create index concurrently i on a (id);') },
      /no-transaction/,
    ],
    [
      'a bound without a unit',
      { '0001_a.sql': migration('select 1;', 'select 1;', '-- aisec: max-lock 500') },
      /"max-lock" needs a duration with its unit[\s\S]*0001_a\.sql:1/,
    ],
    [
      'a bound of nothing',
      { '0001_a.sql': migration('select 1;', 'select 1;', '--\n-- aisec: max-time 0') },
      /"max-time" needs a duration with its unit[\s\S]*0001_a\.sql:2/,
    ],
    [
      'two bounds of one kind',
      { '0001_a.sql': migration('select 1;', 'select 1;', '-- aisec: max-lock 1s\n-- aisec: max-lock 2s') },
      /a second "max-lock"[\s\S]*0001_a\.sql:2/,
    ],
    [
      'a bound that is misspelt',
      { '0001_a.sql': migration('select 1;', 'select 1;', '-- aisec: max-lok 1s') },
      /did you mean "max-lock"/,
    ],
    ['a NUL character', { '0001_a.sql': `${GOOD}\0` }, /holds a NUL character/],
    [
      'COPY FROM STDIN with its rows',
      { '0001_a.sql': migration('create table a (id int);\ncopy a from stdin;\n1\n2\n\\.\n') },
      /0001_a\.sql:\d+[\s\S]*COPY \.\.\. FROM STDIN gets no data|COPY \.\.\. FROM STDIN gets no data[\s\S]*0001_a\.sql:\d+/,
    ],
    ['COPY FROM STDIN alone', { '0001_a.sql': migration('copy a from stdin;') }, /use INSERT/],
    ['nothing', {}, /no migrations in/],
    ['a file that is not UTF-8', { '0001_a.sql': Buffer.from([0x2d, 0x2d, 0xff, 0xfe]) }, /not valid UTF-8/],
  ])('with %s is refused, exit 2, before anything is opened', async (_title, files, expected) => {
    const result = await runInProcess(['migrate', 'up', '--migrations-dir', `aisec=${migrationsFolder(files).dir}`], {
      env: NOWHERE,
    });
    expect(result.stderr).toMatch(expected);
    expect(result.stderr.split('\n')[0]).toMatch(/^error: /);
    expect(result.exitCode).toBe(2);
    expect(result.stdout).toBe('');
  });

  test('with several faults is refused with all of them at once', async () => {
    const result = await script({ '0001_a.sql': '', '0002_b.sql': 'select 1;\n' });
    expect(result.stderr).toContain('0001_a.sql:1');
    expect(result.stderr).toContain('0002_b.sql:1');
  });

  test('may use the words of transaction control inside function bodies and comments', async () => {
    const body =
      'create function f() returns void language plpgsql as $$\nbegin\n  perform 1;\nend;\n$$;\n-- commit;\nupdate a\nset id = 1;';
    const result = await script({ '0001_a.sql': migration(body) });
    expect(result.stderr).toBe('');
    expect(result.exitCode).toBe(0);
  });

  test('that does not exist is a configuration error', async () => {
    const result = await runInProcess(['migrate', 'status', '--migrations-dir', '/nonexistent/migrations'], {
      env: NOWHERE,
    });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('could not read the directory');
  });
});

describe('migrate new', () => {
  test('writes the next number with both markers, and the file is refused until it is filled in', async () => {
    const { dir } = migrationsFolder({ '0001_a.sql': GOOD });
    const created = await runInProcess(['migrate', 'new', 'Add inbox view', '--migrations-dir', `aisec=${dir}`]);
    expect(created.exitCode).toBe(0);
    expect(created.stdout.trim()).toBe(`${dir}/0002_add_inbox_view.sql`);
    const check = await runInProcess(['migrate', 'up', '--sql', '--migrations-dir', `aisec=${dir}`], { env: NOWHERE });
    expect(check.exitCode).toBe(2);
    expect(check.stderr).toContain('the Up section is empty');
  });

  test('refuses a name without letters or digits', async () => {
    const { dir } = migrationsFolder({});
    const result = await runInProcess(['migrate', 'new', '---', '--migrations-dir', `aisec=${dir}`]);
    expect(result.exitCode).toBe(2);
  });
});
