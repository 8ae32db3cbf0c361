import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ERROR_TITLES, AisecError } from '../../../src/base/errors.js';
import { EXIT_CODE_BY_ERROR, EXIT_CODES, exitCodesText } from '../../../src/cli/exit-codes.js';
import { errorDocument, renderError } from '../../../src/cli/terminal/error.js';
import { Output } from '../../../src/cli/terminal/output.js';
import { Progress } from '../../../src/cli/terminal/progress.js';
import { createPaint, wantsColor, type Streams } from '../../../src/cli/terminal/streams.js';
import { renderTable } from '../../../src/cli/terminal/table.js';

function pipes(): { readonly streams: Streams; readonly err: () => string; readonly out: () => string } {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let [out, err] = ['', ''];
  stdout.on('data', (chunk) => (out += String(chunk)));
  stderr.on('data', (chunk) => (err += String(chunk)));
  return { streams: { stdin, stdout, stderr }, err: () => err, out: () => out };
}

describe('colour', () => {
  const none = { flag: undefined, noColor: undefined, forceColor: undefined, term: 'xterm' };
  it.each([
    ['a terminal', none, true, true],
    ['a pipe', none, false, false],
    ['a dumb terminal', { ...none, term: 'dumb' }, true, false],
    ['NO_COLOR', { ...none, noColor: '1' }, true, false],
    ['an empty NO_COLOR', { ...none, noColor: '' }, true, true],
    ['FORCE_COLOR on a pipe', { ...none, forceColor: '1' }, false, true],
    ['FORCE_COLOR=0', { ...none, forceColor: '0' }, false, false],
    ['NO_COLOR and FORCE_COLOR', { ...none, noColor: '1', forceColor: '1' }, true, false],
    ['--color under NO_COLOR', { ...none, flag: true, noColor: '1' }, false, true],
    ['--no-color under FORCE_COLOR', { ...none, flag: false, forceColor: '1' }, true, false],
  ])('%s decides', (_title, wishes, isTTY, expected) => expect(wantsColor(wishes, isTTY)).toBe(expected));

  it('is real where it is wanted and absent where it is not', async () => {
    expect((await createPaint(true)).red('x')).toBe('\u001B[31mx\u001B[39m');
    expect((await createPaint(false)).red('x')).toBe('x');
  });
});

describe('a table', () => {
  const columns = [
    { title: 'name', value: (row: { name: string; size: string }) => row.name },
    { title: 'size', value: (row: { name: string; size: string }) => row.size, align: 'right' as const },
  ];
  it('is aligned on a terminal, also with colour in it', () => {
    const rows = [
      { name: '\u001B[31mab\u001B[39m', size: '1' },
      { name: 'c', size: '1000' },
    ];
    expect(renderTable(rows, columns, true)).toBe('name  size\n\u001B[31mab\u001B[39m       1\nc     1000');
  });
  it('keeps the indentation of what belongs to the row above', () => {
    expect(renderTable([{ name: '  part', size: '1' }], columns, true)).toBe('name    size\n  part     1');
  });
  it('fits its terminal: words go on in the next line, figures and names stay whole', () => {
    const wide = [
      { title: 'table', value: () => 'a_long_name_that_stays' },
      { title: 'bytes', value: () => '1,234,567', align: 'right' as const },
      { title: 'about', value: () => 'the first words and those that have no room beside them' },
    ];
    expect(renderTable([{}], wide, true, 60).split('\n')).toEqual([
      'table                       bytes  about',
      'a_long_name_that_stays  1,234,567  the first words and those',
      '                                   that have no room beside',
      '                                   them',
    ]);
  });
  it('is a record a row where even that has no room, and SQL stays as it is', () => {
    const sql = {
      title: 'sql',
      value: () => 'drop index concurrently a_long_name_that_stays;',
      hasLines: true as const,
    };
    const wide = [
      { title: 'name', value: () => 'messages' },
      { title: 'about', value: () => 'words that go on in the next line' },
      { title: 'empty', value: () => '' },
      sql,
    ];
    expect(renderTable([{}, {}], wide, true, 30).split('\n').slice(0, 6)).toEqual([
      'name   messages',
      'about  words that go on in the',
      '       next line',
      'sql    drop index concurrently a_long_name_that_stays;',
      '',
      'name   messages',
    ]);
  });
  it('is aligned with Japanese in it, whose characters are two columns wide', () => {
    const rows = [
      { name: '日本語の表', size: '1' },
      { name: 'users', size: '22' },
    ];
    expect(renderTable(rows, columns, true).split('\n')).toEqual([
      'name        size',
      '日本語の表     1',
      'users         22',
    ]);
  });
  it('is tab-separated in a pipe, one row a line', () => {
    expect(renderTable([{ name: 'a\tb\nc', size: '1' }], columns, false)).toBe('name\tsize\na b c\t1');
  });

  it('SQL in the last column keeps its lines in a pipe, since it is pasted', () => {
    const fix = { title: 'fix', value: (row: string) => row, hasLines: true } as const;
    expect(renderTable(['-- why\nselect 1;'], [{ title: 'id', value: () => 'a' }, fix], false)).toBe(
      'id\tfix\na\t-- why\nselect 1;',
    );
  });
});

describe('progress in a pipe', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const options = { isQuiet: false, isColored: false, term: 'xterm' };

  it('says nothing about what takes less than a second', () => {
    const { streams, err } = pipes();
    const progress = new Progress(streams, options);
    progress.report('step');
    vi.advanceTimersByTime(900);
    progress.clear();
    vi.advanceTimersByTime(60_000);
    expect(err()).toBe('');
  });

  it('writes a whole line after a second, then the newest one at most every ten', () => {
    const { streams, err } = pipes();
    const progress = new Progress(streams, options);
    const output = new Output(streams, { isJson: false, isQuiet: false, isVerbose: false }, PLAIN, PLAIN);
    output.onBeforeWrite(progress.suspend);
    for (let second = 0; second < 25; second += 1) {
      progress.report(`step ${second}`);
      if (second % 4 === 3) output.note('note');
      vi.advanceTimersByTime(1000);
    }
    const lines = err()
      .split('\n')
      .filter((line) => line.startsWith('step'));
    expect(lines).toEqual(['step 0 ...', 'step 10 ...', 'step 20 ...']);
    expect(err()).not.toContain('\r');
    expect(err()).not.toContain('\u001B');
  });

  it('says nothing with --quiet', () => {
    const { streams, err } = pipes();
    new Progress(streams, { ...options, isQuiet: true }).report('step');
    vi.advanceTimersByTime(60_000);
    expect(err()).toBe('');
  });
});

const plain = (text: string): string => text;
const PLAIN = { bold: plain, dim: plain, green: plain, yellow: plain, red: plain };

describe('output', () => {
  it('has notes on stderr unless quiet, warnings always, details only when verbose', () => {
    const write = (isQuiet: boolean, isVerbose: boolean): string => {
      const { streams, err } = pipes();
      const output = new Output(streams, { isJson: false, isQuiet, isVerbose }, PLAIN, PLAIN);
      output.note('note');
      output.warning('careful');
      output.detail('detail');
      return err();
    };
    expect(write(false, false)).toBe('note\nwarning: careful\n');
    expect(write(true, false)).toBe('warning: careful\n');
    expect(write(false, true)).toBe('note\nwarning: careful\ndetail\n');
  });

  it('is one JSON document with its format version with --json, and what the command renders without', () => {
    const write = (isJson: boolean): string => {
      const { streams, out } = pipes();
      const output = new Output(streams, { isJson, isQuiet: false, isVerbose: false }, PLAIN, PLAIN);
      output.result({ rows: [] }, (_data, { isTTY }) => `rendered ${isTTY}`);
      return out();
    };
    expect(JSON.parse(write(true))).toEqual({ formatVersion: 1, rows: [] });
    expect(write(false)).toBe('rendered false\n');
  });
});

describe('an error', () => {
  const position = { file: 'm.sql', line: 12, column: 3, excerpt: '\tx bad' };
  const error = new AisecError('MIGRATION_FAILED', 'it failed', {
    detail: 'A detail.',
    hint: 'A hint.',
    sqlState: '42703',
    position,
  });
  it('is shown with its place, a caret below it, detail and hint', () => {
    expect(renderError(error, PLAIN)).toBe(
      'error: it failed (SQLSTATE 42703)\n  m.sql:12:3\n  12 | \tx bad\n     | \t ^\ndetail: A detail.\nhint: A hint.',
    );
  });
  it('has every field in JSON, null when it has none', () => {
    expect(errorDocument(new AisecError('USAGE', 'no'))).toEqual({
      error: {
        code: 'USAGE',
        message: 'no',
        detail: null,
        hint: null,
        sqlState: null,
        file: null,
        line: null,
        column: null,
        context: null,
      },
    });
  });
});

describe('the exit codes', () => {
  it('have one for every error, and the published table names each within 80 columns', () => {
    expect(Object.keys(EXIT_CODE_BY_ERROR).toSorted()).toEqual(Object.keys(ERROR_TITLES).toSorted());
    const text = exitCodesText();
    for (const code of new Set(Object.values(EXIT_CODE_BY_ERROR))) expect(EXIT_CODES[code]).toBeDefined();
    for (const code of Object.keys(EXIT_CODES)) expect(text).toMatch(new RegExp(`^ *${code}  `, 'm'));
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});
