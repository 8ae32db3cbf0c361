import { execFileSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { findTool } from '../../../src/adapters/pgtools/find-tools.js';
import type { PgTool } from '../../../src/adapters/pgtools/tool.js';
import { parseToc } from '../../../src/features/backup/contents/toc.js';
import { readBack, shareOut } from '../../../src/features/backup/server/read-back.js';
import { createServerDatabase, describeOnServer } from '../../support/database.js';

const LIST = `;
; Archive created at 2026-12-01 10:00:00 UTC
;
4; 2615 2200 SCHEMA - public postgres
11; 0 101 TABLE DATA public small_one postgres
12; 0 102 TABLE DATA public large postgres
13; 0 103 TABLE DATA public never_analyzed postgres
14; 0 104 TABLE DATA public small; two postgres
15; 0 0 SEQUENCE SET public n postgres
`;

describeOnServer('an archive that is read back', () => {
  const environment = { PATH: process.env['PATH'] };
  const surroundings = { environment, signal: new AbortController().signal };
  const tables = ['ones', 'twos', 'threes', 'fours'];
  let directory = '';
  let file = '';
  let tool: PgTool;
  beforeAll(async () => {
    const { admin, url } = await createServerDatabase();
    for (const table of tables)
      await admin.query(
        `create table ${table} as select md5(g::text || '${table}') as text from generate_series(1, 20000) g`,
      );
    directory = mkdtempSync(path.join(tmpdir(), 'aisec-test-'));
    file = path.join(directory, 'whole.dump');
    execFileSync('pg_dump', ['-Fc', '--compress=gzip:1', '-f', file, url]);
    ({ tool } = await findTool('pg_restore', { major: 17, of: 'the test' }, { pgBinDir: undefined, environment }));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const read = async (archive: string): Promise<readonly string[]> => {
    const unpacked: string[] = [];
    const onLine = (line: string): void => {
      const [, table] = /^pg_restore: processing data for table "public\.(.*)"$/.exec(line) ?? [];
      if (table !== undefined) unpacked.push(table);
    };
    await readBack({ ...surroundings, tool, file: archive, onLine }, new Map(), 3, 0);
    return unpacked.toSorted();
  };

  test('is unpacked whole, each table once, though several processes share it', async () => {
    expect(await read(file)).toEqual(tables.toSorted());
  });

  test('is damaged, whichever of the processes comes to it', async () => {
    const { size } = statSync(file);
    for (const share of [0.2, 0.4, 0.6, 0.9]) {
      const damaged = path.join(directory, `damaged-${share}.dump`);
      copyFileSync(file, damaged);
      const handle = openSync(damaged, 'r+');
      writeSync(handle, Buffer.alloc(64, 0x5a), 0, 64, Math.floor(size * share));
      closeSync(handle);
      // A length that is wrong is `out of memory`, for which the archive need not be at fault.
      await expect(read(damaged)).rejects.toMatchObject({
        code: expect.stringMatching(/^(BACKUP_INVALID|PG_TOOL_FAILED)$/),
      });
    }
    const short = path.join(directory, 'short.dump');
    copyFileSync(file, short);
    truncateSync(short, size - 20);
    await expect(read(short)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  });

  test('is shared by the pages of its tables, and every entry is in one list', () => {
    const pagesOf = new Map([
      ['101', 10],
      ['102', 30],
      ['104', 12],
    ]);
    const shares = shareOut(parseToc(LIST).entries, pagesOf, 2);
    expect(shares.map((share) => share.map(({ dumpId }) => dumpId))).toEqual([
      [12, 4, 15],
      [14, 11, 13],
    ]);
  });
});
