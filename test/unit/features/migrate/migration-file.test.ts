import { describe, expect, test } from 'vitest';

import { checksumOf, parseMigrationFile } from '../../../../src/features/migrate/files/migration-file.js';

const parse = (text: string) => parseMigrationFile('migrations/0001_a.sql', '0001_a', text);
const problemsOf = (text: string) => parse(text).problems.map(({ line, message }) => `${line}: ${message}`);

const GOOD = `-- What it is for
-- Up Migration
create table a (id int);
-- Down Migration
drop table a;
`;

describe('a migration file', () => {
  test('is split into its Up and its Down section, each with its line', () => {
    const { file, problems } = parse(GOOD);
    expect(problems).toEqual([]);
    expect(file?.up).toEqual({ sql: 'create table a (id int);', line: 3 });
    expect(file?.down).toEqual({ sql: 'drop table a;', line: 5 });
    expect(file?.isTransactional).toBe(true);
  });

  test('may have CRLF line ends and a byte order mark, which change neither text nor checksum', () => {
    const windows = parse(`\uFEFF${GOOD.replaceAll('\n', '\r\n')}`).file;
    expect(windows?.up.sql).toBe('create table a (id int);');
    expect(windows?.checksum).toBe(parse(GOOD).file?.checksum);
  });

  test('keeps its checksum when only trailing blanks change, and not when a word changes', () => {
    expect(checksumOf('select 1;  \n\n')).toBe(checksumOf('select 1;'));
    expect(checksumOf('select 2;')).not.toBe(checksumOf('select 1;'));
  });

  test('says no-transaction before the Up marker', () => {
    expect(parse(`-- aisec: no-transaction\n${GOOD}`).file?.isTransactional).toBe(false);
  });

  test('may be irreversible when it says why', () => {
    const { file } = parse('-- aisec: irreversible "drops the old logs"\n-- Up Migration\ndrop table logs;\n');
    expect(file?.down).toBeUndefined();
    expect(file?.irreversibleReason).toBe('drops the old logs');
  });

  test.each([
    ['is empty', '', ['1: the file is empty']],
    ['has blanks only', '\n \n', ['1: the file is empty']],
    [
      'has SQL before the Up marker',
      `set lock_timeout = 0;\n${GOOD}`,
      ['1: SQL before the "-- Up Migration" marker would never run'],
    ],
    [
      'has only a Down marker',
      '-- Down Migration\ndrop table a;\n',
      ['1: the Down marker stands before the Up marker'],
    ],
    ['has no marker at all', 'create table a ();\n', ['1: SQL before the "-- Up Migration" marker would never run']],
    ['has two Up markers', `${GOOD}-- Up Migration\nselect 1;\n`, ['6: a second "-- Up Migration" marker']],
    [
      'has an empty Up section',
      '-- Up Migration\n-- nothing\n-- Down Migration\nselect 1;\n',
      ['1: the Up section is empty'],
    ],
    [
      'has an empty Down section',
      '-- Up Migration\nselect 1;\n-- Down Migration\n\n',
      [
        '3: the Down section is empty; if there is no way back, leave it out and begin the file with -- aisec: irreversible "reason"',
      ],
    ],
    [
      'has no Down section and does not say why',
      '-- Up Migration\nselect 1;\n',
      [
        '3: there is no "-- Down Migration" marker; if there is no way back, say why with -- aisec: irreversible "reason"',
      ],
    ],
    [
      'has a comment that node-pg-migrate would take for a marker',
      '-- Up Migration\nselect 1;\n-- down migration is not supported\n-- Down Migration\nselect 1;\n',
      ['3: this looks like a marker, which is exactly "-- Up Migration" or "-- Down Migration"'],
    ],
    [
      'has an unknown directive',
      `-- aisec: no-transction\n${GOOD}`,
      ['1: unknown directive "no-transction"; did you mean "no-transaction"?'],
    ],
    [
      'has a directive after the marker',
      GOOD.replace('create', '-- aisec: no-transaction\ncreate'),
      ['3: a directive must stand before the Up marker'],
    ],
    [
      'is irreversible without a reason',
      '-- aisec: irreversible\n-- Up Migration\nselect 1;\n',
      [
        '1: "irreversible" needs its reason: -- aisec: irreversible "reason"',
        '4: there is no "-- Down Migration" marker; if there is no way back, say why with -- aisec: irreversible "reason"',
      ],
    ],
  ])('that %s is refused with its line', (_title, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });
});
