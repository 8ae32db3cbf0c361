import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { describeOnPrivateServer, startPrivateServer } from '../../support/private-server.js';
import { fill, withSmallDisk } from '../../support/small-disk.js';
import { aisecOn, findingsOn, paste } from './doctor-on.js';

const MIB = 1024 ** 2;

describeOnPrivateServer('what fills the disk of a server', () => {
  let url = '';
  let admin: pg.Client;
  /** Where the server sees `/`: it runs in a chroot. */
  let root = '';
  const links: string[] = [];

  beforeAll(async () => {
    const server = await startPrivateServer({ fsync: 'off', max_wal_size: '32MB', min_wal_size: '32MB' });
    url = await server.createDatabase('app', { migrated: true });
    admin = new pg.Client({ connectionString: url });
    await admin.connect();
    const { rows } = await admin.query<{ pid: number }>('select pg_backend_pid() as pid');
    root = readlinkSync(`/proc/${rows[0]!.pid}/root`);
  });
  afterAll(async () => {
    await admin.end();
    for (const link of links) rmSync(link);
  });

  /** What the server calls by a path is under the same path here, as for every server that is in no chroot. */
  function seenFromHere(directory: string): void {
    mkdirSync(path.dirname(directory), { recursive: true });
    symlinkSync(path.join(root, directory), directory);
    links.push(directory);
  }

  test('WAL beyond max_wal_size is told with what keeps it, a slot that no process uses or slow checkpoints; the fix frees it', async () => {
    expect(await findingsOn(url, 'wal-size')).toEqual([]);
    await admin.query("select pg_create_physical_replication_slot('gone_away', true)");
    await admin.query(
      `do $$ begin
         for segment in 1..8 loop
           perform pg_logical_emit_message(false, 'fill', 'x');
           perform pg_switch_wal();
         end loop;
       end $$`,
    );
    await admin.query('checkpoint');
    const [finding, ...others] = await findingsOn(url, 'wal-size');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      id: 'wal-size:pg_wal',
      severity: 'warning',
      message: expect.stringMatching(
        /^WAL takes 1\d\d MB of disk, \d times what it should \(max_wal_size is 32MB\); replication slot gone_away, which no process uses, keeps 1\d\d MB of it$/,
      ),
    });
    expect((await aisecOn(url, 'monitor')).stderr).toContain('WAL takes 1');
    await paste(url, finding!.fix!);
    const [next] = await findingsOn(url, 'wal-size');
    expect(next).toMatchObject({ message: expect.stringMatching(/; a checkpoint frees it$/), fix: 'checkpoint;' });
    await paste(url, next!.fix!);
    expect(await findingsOn(url, 'wal-size')).toEqual([]);
  });

  test('a nearly full disk is critical where the server is on this machine; space ends it; a server elsewhere has none to look at', async () => {
    const { rows } = await admin.query<{ data_directory: string }>('show data_directory');
    const area = async (): Promise<{ checks: number; notApplicable: number }> => {
      const { stdout } = await aisecOn(url, 'doctor', '--json', '--only', 'disk-used');
      return (JSON.parse(stdout) as { counts: { checks: number; notApplicable: number } }).counts;
    };
    expect(await area()).toMatchObject({ notApplicable: 1 });
    seenFromHere(rows[0]!.data_directory);
    expect(await area()).toMatchObject({ notApplicable: 0 });

    const disk = `/tmp/aisec-disk-${randomBytes(4).toString('hex')}`;
    await withSmallDisk(path.join(root, disk), 64 * MIB, async () => {
      const { uid, gid } = statSync(path.join(root, rows[0]!.data_directory));
      chownSync(path.join(root, disk), uid, gid);
      await admin.query(`create tablespace "Small disk" location '${disk}'`);
      seenFromHere(disk);
      const found = async (): Promise<readonly { id: string; message: string }[]> =>
        (await findingsOn(url, 'disk-used')).filter(({ id }) => id === 'disk-used:tablespace Small disk');
      expect(await found()).toEqual([]);
      fill(path.join(root, disk), 2 * MIB);
      expect(await found()).toMatchObject([
        {
          severity: 'critical',
          message: expect.stringMatching(
            /^the disk of the tablespace Small disk is 9[67] % full: 2 MB of 64 MB are free$/,
          ),
        },
      ]);
      expect((await aisecOn(url, 'monitor', 'export', '--prometheus', '-')).stdout).toMatch(
        /^aisec_disk_free_bytes\{database="app",schema="public",holds="tablespace Small disk"\} 2\d{6}$/m,
      );
      rmSync(path.join(root, disk, 'filler'));
      expect(await found()).toEqual([]);
      await admin.query('drop tablespace "Small disk"');
    });
    rmSync(path.join(root, disk), { recursive: true });
  });
});
