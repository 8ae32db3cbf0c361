import { expect, test } from 'vitest';

import { translateError } from '../../../../src/adapters/postgres/error.js';

test('a connection of the server to a node of its own is no connection of ours', () => {
  const said = (severity: string, code: string) =>
    translateError(Object.assign(new Error('x'), { severity, code })).code;
  expect(said('ERROR', '08006')).toBe('DATABASE_FAILED');
  expect(said('ERROR', '08001')).toBe('DATABASE_FAILED');
  expect(said('FATAL', '08006')).toBe('CONNECTION_LOST');
  expect(said('FATAL', '08P01')).toBe('CONNECTION_LOST');
});
