import { describe, expect, test } from 'vitest';

import { classify, isErrorLine, toolError } from '../../../../src/adapters/pgtools/classify.js';

const tool = { name: 'pg_dump', path: '/usr/bin/pg_dump', version: '17.12', major: 17 } as const;

describe('what pg_dump and pg_restore write on stderr', () => {
  test.each([
    ['pg_dump: error: aborting because of server version mismatch', 'PG_TOOL_MISSING'],
    ['pg_dump: error: could not write to output file: No space left on device', 'DISK_FULL'],
    [
      'pg_dump: error: query failed: ERROR:  query would be affected by row-level security policy for table "docs"',
      'PRIVILEGE_MISSING',
    ],
    ['pg_dump: error: query failed: ERROR:  permission denied for sequence docs_id_seq', 'PRIVILEGE_MISSING'],
    ['pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout', 'LOCK_TIMEOUT'],
    ['pg_dump: error: query failed: ERROR:  canceling statement due to conflict with recovery', 'STANDBY_CONFLICT'],
    ['pg_dump: error: query failed: FATAL:  terminating connection due to conflict with recovery', 'STANDBY_CONFLICT'],
    [
      'pg_dump: error: connection to server at "::1", port 5432 failed: FATAL:  password authentication failed for user "x"',
      'DATABASE_AUTH',
    ],
    [
      'pg_dump: error: connection to server at "::1", port 5432 failed: FATAL:  database "nix" does not exist',
      'DATABASE_MISSING',
    ],
    ['pg_dump: error: connection to server at "127.0.0.1", port 1 failed: Connection refused', 'DATABASE_UNREACHABLE'],
    ['pg_dump: error: Dumping the contents of table "chunks" failed: PQgetCopyData() failed.', 'CONNECTION_LOST'],
    ['pg_restore: error: could not uncompress data: incorrect data check', 'BACKUP_INVALID'],
    ['pg_restore: error: could not decompress data: Data corruption detected', 'BACKUP_INVALID'],
    ['pg_restore: error: could not read from input file: end of file', 'BACKUP_INVALID'],
    ['pg_restore: error: did not find magic string in file header', 'BACKUP_INVALID'],
    ['pg_restore: error: unsupported version (1.16) in file header', 'PG_TOOL_MISSING'],
    ['ERROR:  extension "vector" is not available', 'EXTENSION_MISSING'],
    ['pg_dump: error: something new', 'PG_TOOL_FAILED'],
  ])('%s', (stderr, code) => {
    expect(classify(stderr)).toBe(code);
    expect(isErrorLine(stderr)).toBe(true);
  });

  test('of --verbose is no error, whatever a table is called', () => {
    for (const line of [
      'pg_dump: dumping contents of table "public.errors"',
      'pg_dump: warning: there are circular foreign-key constraints',
    ])
      expect(isErrorLine(line)).toBe(false);
  });

  test('becomes an error that quotes what matters and masks passwords', () => {
    const stderr = [
      'pg_dump: reading schemas',
      'pg_dump: error: query failed: ERROR:  permission denied for table users',
      'pg_dump: detail: Query was: LOCK TABLE public.users',
      'pg_dump: hint: postgres://me:s3cret@host/db',
    ].join('\n');
    const error = toolError({ tool, exitCode: 1, signal: null, stderr });
    expect(error).toMatchObject({ code: 'PRIVILEGE_MISSING', message: 'pg_dump failed with exit code 1' });
    expect(error.detail).toContain('LOCK TABLE public.users');
    expect(error.detail).not.toContain('reading schemas');
    expect(error.detail).not.toContain('s3cret');
  });

  test.each([
    // Each line as four writes of a job, and those of another between them.
    'pg_dump: pg_dump: error: dumping contents of table "public.a"\nerror: could not obtain lock on relation "public.b"\nThis usually means that',
    'pg_dump: error: pg_dump: dumping contents of table "public.a"\ncould not obtain lock on relation "public.b"\nThis usually means that',
    'pg_dump:pg_dump: error:  could not obtain lock on relation "public.b"\nThis usually means that\ndumping contents of table "public.a"',
    'pg_dump: error: pg_dump: error: a worker process died unexpectedly\ncould not obtain lock on relation "public.b"\nThis usually means',
  ])('of several jobs is understood, whichever way their words are mixed: %s', (mixed) => {
    const stderr = `pg_dump: reading row-level security policies\n${mixed}`;
    expect(stderr.split('\n').some(isErrorLine)).toBe(true);
    const error = toolError({ tool, exitCode: 1, signal: null, stderr });
    expect(error.code).toBe('LOCK_TIMEOUT');
    expect(error.detail).toContain('could not obtain lock on relation "public.b"');
  });

  test('may be nothing when a signal ended it', () => {
    // What --verbose says is none of its reasons.
    for (const stderr of ['', 'pg_dump: reading row-level security policies\npg_dump: reading publications']) {
      const error = toolError({ tool, exitCode: null, signal: 'SIGKILL', stderr });
      expect(error).toMatchObject({ code: 'PG_TOOL_FAILED', message: 'pg_dump was ended by SIGKILL' });
    }
  });

  test.each([
    ['of a length that is damaged is the archive', null, 'out of memory\n', true, 'BACKUP_INVALID'],
    ['by a crash is the archive', 'SIGSEGV', '', true, 'BACKUP_INVALID'],
    ['from outside is not', 'SIGKILL', '', true, 'PG_TOOL_FAILED'],
    ['of the disk is not', null, 'pg_restore: error: could not read: Input/output error', true, 'PG_TOOL_FAILED'],
    ['while a server is restored to is not', null, 'out of memory\n', undefined, 'PG_TOOL_FAILED'],
    ['of a server is not', null, 'pg_restore: error: query failed: ERROR:  out of memory', true, 'PG_TOOL_FAILED'],
  ] as const)('an end %s', (_what, signal, stderr, readsOnly, code) => {
    expect(toolError({ tool, exitCode: 1, signal, stderr, readsOnly })).toMatchObject({ code });
  });

  test('the cause stays, however much is said after it, and that a worker died is none', () => {
    const said = [
      'pg_restore: error: COPY failed for table "numbers": ERROR:  relation "limits" does not exist',
      'LINE 1: n <= (select most from limits)',
      '                              ^',
      'QUERY:  n <= (select most from limits)',
      'CONTEXT:  PL/pgSQL function a.helper(integer) line 1 at RETURN',
      'COPY numbers, line 1: "1"',
    ];
    const died = 'pg_restore: error: a worker process died unexpectedly';
    const detailOf = (lines: readonly string[]): string | undefined =>
      toolError({ tool, exitCode: 1, signal: null, stderr: `${lines.join('\n')}\n` }).detail;
    const [cause = ''] = said;
    expect(detailOf([...said, died])?.split('\n')[0]).toBe(cause);
    expect(detailOf([...said, died])).not.toContain('died');
    expect(detailOf([died])).toBe(died);
    const more = Array.from({ length: 9 }, (_, number) => `pg_restore: error: ${number}`);
    expect(detailOf([cause, ...more])?.split('\n')).toEqual([cause, ...more.slice(-5)]);
  });
});
