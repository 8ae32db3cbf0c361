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

test('what is FATAL has ended the session, whatever its SQLSTATE', () => {
  const said = (severity: string, code: string) =>
    translateError(Object.assign(new Error('x'), { severity, code })).code;
  // A standby ends a session whose snapshot or lock is in the way of its recovery.
  expect(said('FATAL', '40001')).toBe('CONNECTION_LOST');
  expect(said('ERROR', '40001')).toBe('DATABASE_FAILED');
  const cancelled = { severity: 'ERROR', code: '40001', routine: 'ProcessRecoveryConflictInterrupt' };
  expect(translateError(Object.assign(new Error('wegen Konflikt mit der Wiederherstellung'), cancelled)).code).toBe(
    'STANDBY_CONFLICT',
  );
  expect(said('FATAL', '53200')).toBe('CONNECTION_LOST');
  expect(said('PANIC', '58030')).toBe('CONNECTION_LOST');
  expect(said('FATAL', '28P01')).toBe('DATABASE_AUTH');
});

test('a node of Citus that ends is named, in one line, and the session continues', () => {
  const said = (message: string, parts: object) =>
    translateError(Object.assign(new Error(message), { severity: 'ERROR', ...parts }));
  const refused =
    'connection to the remote node dba@w1:5432 failed with the following error: Connection refused\n\tIs the server running?';
  expect(said(refused, { code: '08006' })).toMatchObject({
    code: 'NODE_UNREACHABLE',
    message: 'connection to the remote node dba@w1:5432 failed with the following error: Connection refused',
    detail: 'Is the server running?',
    hint: expect.stringContaining('aisec doctor --only citus'),
  });
  const ended = { code: '57P01', where: 'while executing command on w1:5432' };
  expect(said('terminating connection due to unexpected postmaster exit', ended)).toMatchObject({
    code: 'NODE_UNREACHABLE',
    message: 'the node w1:5432 of Citus says: terminating connection due to unexpected postmaster exit',
  });
  const where = 'while executing command on w1:5432';
  for (const broken of [
    'SSL SYSCALL error: EOF detected',
    'server closed the connection unexpectedly\n\tThis probably means',
  ])
    expect(said(broken, { code: 'XX000', where })).toMatchObject({
      code: 'NODE_UNREACHABLE',
      message: expect.stringContaining('the node w1:5432 of Citus says: '),
    });
  expect(said('SSL SYSCALL error: EOF detected', { code: 'XX000', where, severity: 'FATAL' })).toMatchObject({
    code: 'CONNECTION_LOST',
    detail: expect.stringContaining('the node w1:5432 of Citus says: '),
  });
  const gone = 'postmaster was shut down, exiting';
  expect(said(gone, { code: 'XX000', severity: 'FATAL' }).code).toBe('CONNECTION_LOST');
  // That of the coordinator, which the session ends with; and that of a node.
  expect(said(gone, { code: 'XX000' })).toMatchObject({ code: 'CONNECTION_LOST', detail: gone });
  expect(said(gone, { code: 'XX000', where }).code).toBe('NODE_UNREACHABLE');
  expect(said('could not open file', { code: 'XX000', where }).code).toBe('DATABASE_FAILED');
  expect(said('terminating connection', { ...ended, severity: 'FATAL' })).toMatchObject({
    code: 'CONNECTION_LOST',
    detail: 'the node w1:5432 of Citus says: terminating connection',
    hint: expect.stringContaining('aisec doctor --only citus'),
  });
  const unmeasured = 'could not connect to w1:5432 to get size of relation "messages"';
  expect(said(unmeasured, { code: '08006' }).hint).toContain('aisec doctor --only citus');
  expect(said('x', { code: '57P01' }).code).toBe('DATABASE_FAILED');
});
