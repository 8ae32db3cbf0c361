import { expect, test } from 'vitest';

import { ToleratedErrors } from '../../../../src/adapters/pgtools/older-server.js';

// What pg_restore 17.12 --jobs=2 wrote when it restored into PostgreSQL 16.14.
const SETTING = [
  'pg_restore: while INITIALIZING:',
  'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"',
  'Command was: SET transaction_timeout = 0;',
];
const END = 'pg_restore: warning: errors ignored on restore: 2';

function read(lines: readonly string[]): { readonly refused: string | undefined; readonly isFine: boolean } {
  const errors = new ToleratedErrors();
  const refused = lines.find((line) => !errors.accepts(line));
  return { refused, isFine: errors.hasOnlyTolerated };
}

test('the setting that an older server does not know is no failure, also from two processes at once', () => {
  const [stage = '', error = '', command = ''] = SETTING;
  expect(read([...SETTING, '', END])).toEqual({ refused: undefined, isFine: true });
  expect(read([stage, error, stage, error, command, command, END])).toEqual({ refused: undefined, isFine: true });
});

test('pieces of lines of two processes may mix: each piece of a line is a write of its own', () => {
  const [, error = '', command = ''] = SETTING;
  const text = error.slice('pg_restore: error: '.length);
  const mixed = [`pg_restore:pg_restore:  error: error: ${text}`, command, text, command];
  expect(read([...mixed, END])).toEqual({ refused: undefined, isFine: true });
  const withAnother = [`pg_restore:pg_restore:  error: finished item 4566 ACL FUNCTION f()`, text, command];
  expect(read([...withAnother, END])).toEqual({ refused: undefined, isFine: true });
  expect(read([...withAnother, 'pg_restore: error: out of memory']).isFine).toBe(false);
});

test('any other failing statement is refused at its command, and a failing COPY at once', () => {
  const lines = [
    ...SETTING,
    'pg_restore: from TOC entry 3361; 2606 16390 CONSTRAINT t t_pkey postgres',
    'pg_restore: error: could not execute query: ERROR:  relation "t_pkey" already exists',
    'Command was: ALTER TABLE ONLY public.t',
    '    ADD CONSTRAINT t_pkey PRIMARY KEY (id);',
  ];
  expect(read(lines).refused).toBe('Command was: ALTER TABLE ONLY public.t');
  const copy = 'pg_restore: error: COPY failed for table "t": ERROR:  duplicate key value violates unique constraint';
  expect(read([...SETTING, copy]).refused).toBe(copy);
});

test('an error whose command was cut off is a failure', () => {
  expect(read(SETTING.slice(0, 2))).toEqual({ refused: undefined, isFine: false });
});

test('a row that looks like a command hides no error', () => {
  const error = 'pg_restore: error: could not execute query: ERROR:  out of shared memory';
  expect(read([...SETTING, error]).isFine).toBe(false);
});
