import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { describeOnPrivateServer, startPrivateServer, type PrivateServer } from '../../support/private-server.js';
import { waitFor } from '../../support/wait-for.js';
import { aisecOn, findingsOn, paste, type Finding } from './doctor-on.js';

describeOnPrivateServer('damaged pages and worn-out transaction ids', () => {
  let server: PrivateServer;
  let url = '';
  let admin: pg.Client;

  beforeAll(async () => {
    server = await startPrivateServer({
      fsync: 'off',
      wal_level: 'logical',
      // Neither finds the damage nor freezes anything before the test looks.
      autovacuum: 'off',
      autovacuum_freeze_max_age: '2000000000',
    });
    url = await server.createDatabase('app', { migrated: true });
    admin = await connect('admin');
  });
  afterAll(() => admin.end());

  async function connect(name: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, application_name: name });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  test('a page that fails its checksum is critical, by database', async () => {
    await admin.query('create table damaged as select n from generate_series(1, 1000) as n; checkpoint');
    const { rows } = await admin.query("select pg_relation_filepath('damaged') as file");
    const { file } = rows[0] as { file: string };
    await server.stop('fast');
    await server.offline('program pg_checksums --enable');
    await server.offline(`damage ${file} 9000`);
    await server.start();
    admin = await connect('admin');
    expect(await findingsOn(url, 'checksum-failures')).toEqual([]);
    await expect(admin.query('select count(*) from damaged')).rejects.toThrow(/invalid page/);
    await waitFor(
      async () => (await admin.query('select from pg_stat_database where checksum_failures > 0')).rowCount === 1,
    );
    expect(await findingsOn(url, 'checksum-failures')).toMatchObject([
      {
        id: 'checksum-failures:app',
        severity: 'critical',
        message: expect.stringMatching(/^1 page of database app failed a checksum, the last at 2/),
        fix: null,
      },
    ]);
    await admin.query('drop table damaged');
  });

  test('near the end of transaction ids one finding names the database, its tables and what keeps vacuum from freezing; its fix ends it', async () => {
    await admin.query("select pg_create_logical_replication_slot('oldest', 'pgoutput')");
    await admin.query('checkpoint');
    await server.stop('fast');
    await server.offline('program pg_resetwal -x 1800000000');
    await server.offline('zeros pg_xact/06B4 262144');
    await server.start();
    admin = await connect('admin');
    const here = (await findingsOn(url, 'transaction-ids')).filter(({ id }) => id === 'transaction-ids:app');
    expect(here).toMatchObject([
      {
        severity: 'critical',
        message: expect.stringMatching(
          /^database app has used 84 % of its transaction ids; the oldest tables: public\..*; vacuum cannot freeze them while replication slot oldest, which no process uses, holds it back$/,
        ),
        fix: "select pg_drop_replication_slot('oldest');\nvacuum (freeze);",
      },
    ]);
    const nagios = await aisecOn(url, 'monitor', 'export', '--nagios');
    expect(nagios).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('84 % of its transaction ids') });
    expect((await aisecOn(url, 'monitor', 'export', '--prometheus', '-')).stdout).toMatch(
      /^aisec_transaction_id_age\{database="app",schema="public"\} 1[78]\d{8}$/m,
    );
    const overview = JSON.parse((await aisecOn(url, 'monitor', '--json')).stdout) as { findings: readonly Finding[] };
    expect(overview.findings.map(({ id }) => id)).toContain('transaction-ids:app');
    await paste(url, here[0]!.fix!);
    const [others, ...more] = await findingsOn(url, 'transaction-ids');
    expect(more).toEqual([]);
    expect(others!.message).toMatch(/^database \w+ \(and \d more\) has used 84 %/);
    await paste(url, others!.fix!);
    expect(await findingsOn(url, 'transaction-ids')).toEqual([]);
  });
});
