import { expect, test } from 'vitest';

import type { Session } from '../../../../../src/adapters/postgres/session.js';
import { chooseJobs } from '../../../../../src/features/backup/server/jobs.js';
import type { BackupTools } from '../../../../../src/features/backup/server/tools.js';

const tool = { name: 'pg_dump', path: '/pg/pg_dump', version: '17.2', major: 17 } as const;
const tools: BackupTools = {
  pgDump: tool,
  pgRestore: { ...tool, name: 'pg_restore' },
  pgDumpAll: undefined,
  hasZstd: true,
  hasLz4: false,
  warnings: [],
};
const on = (runsCitus: boolean): Session => ({ info: { runsCitus } }) as unknown as Session;

test('Citus, whose sessions share no snapshot, is dumped by one job with a warning', () => {
  expect(chooseJobs(on(false), tools, 4)).toEqual({ jobs: 4, warning: undefined });
  expect(chooseJobs(on(true), tools, 1)).toEqual({ jobs: 1, warning: undefined });
  expect(chooseJobs(on(true), tools, 4)).toEqual({
    jobs: 1,
    warning: '--jobs 4 is not used, one session dumps all tables: Citus has no snapshot that several sessions share.',
  });
});
