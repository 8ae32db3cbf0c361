import path from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { describeOnCitus } from '../../support/citus.js';
import { createEmbeddedDirectory } from '../../support/database.js';
import { doneAt } from '../../support/kill-at-statement.js';
import { runPsql } from '../../support/run-psql.js';
import { startWorkerProxy, type WorkerProxy } from '../../support/worker-proxy.js';

/**
 * The cluster of AISEC_TEST_CITUS_URL is not ours to kill, so the way to the worker is: all connections break at once in the
 * middle of what they do, and new ones are refused. The worker itself lives, and may finish what it was sent, which a killed one
 * would not. docs/scale.md tells what was done with workers that were killed.
 */
describeOnCitus('a worker of Citus that is away', (citus) => {
  const { url, admin, aisec, schema, setSharding, nodeOf, rowsOf } = citus;
  const [near, far, lost, made] = [schema('n'), schema('f'), schema('l'), schema('m')];
  let worker: WorkerProxy;

  const goes = (): Promise<void> => worker.away();
  /** Where a tenant lies, and what it has there. */
  const stateOf = async (tenant: string) => ({ node: await nodeOf(tenant), rows: await rowsOf(tenant) });
  /** A tenant with months that are old enough for the archive. */
  async function give(tenant: string, node: string): Promise<void> {
    expect(await aisec('migrate up', tenant)).toMatchObject({ exitCode: 0 });
    const [host, port] = node.split(':');
    if ((await nodeOf(tenant)) !== node)
      await admin.query("select citus_schema_move($1::regnamespace, $2, $3::int, 'block_writes')", [
        tenant,
        host,
        port,
      ]);
    const seeded = await aisec('seed demo --users 3 --messages 120 --embeddings 3 --months 9', tenant);
    expect(seeded).toMatchObject({ exitCode: 0 });
  }

  beforeAll(async () => {
    await setSharding('on');
    const { rows: nodes } = await admin.query<{ node: string }>(
      "select nodename || ':' || nodeport as node from pg_dist_node where groupid <> 0 and shouldhaveshards order by nodeid",
    );
    const [first = '', second = ''] = nodes.map(({ node }) => node);
    worker = await startWorkerProxy(admin, second);
    await give(near, first);
    for (const tenant of [far, lost]) await give(tenant, worker.node);
  });
  afterEach(() => worker.back());
  afterAll(async () => {
    await worker.back();
    await worker.stop();
  });

  test('does not hold up what needs only the node of another tenant', async () => {
    const sizes = await aisec('partitions list --json', near);
    const { rows: measured } = await admin.query<{ bytes: number }>(
      `select citus_total_relation_size($1::regclass)::float8 as bytes`,
      [`${near}.messages_default`],
    );
    const { partitions } = JSON.parse(sizes.stdout) as { readonly partitions: readonly object[] };
    expect(partitions).toContainEqual(
      expect.objectContaining({ partition: 'messages_default', sizeBytes: measured[0]?.bytes }),
    );
    await worker.away();
    const commands = ['partitions list', 'partitions check', 'partitions ensure', 'archive list', 'archive --dry-run'];
    commands.push(
      'archive --older-than 10y',
      'monitor tables',
      'monitor partitions',
      'monitor record',
      'migrate status',
    );
    for (const words of commands) {
      const run = await aisec(words, near);
      expect(run.exitCode, `${words}: ${run.stderr}`).toBe(0);
    }
    expect(await aisec('partitions list --json', near)).toMatchObject({ exitCode: 0, stdout: sizes.stdout });
  });

  test('ends what needs it with exit 4 and its name, in its own tenants and where all nodes are needed', async () => {
    await worker.away();
    const commands = ['partitions list', 'partitions check', 'partitions ensure', 'archive list', 'archive'];
    commands.push(
      'monitor tables',
      'monitor partitions',
      'monitor record',
      'migrate status',
      'migrate verify',
      'backup',
    );
    commands.push('tenant undistribute', 'seed demo --users 1 --messages 5 --months 1 --yes');
    const runs: (readonly [words: string, tenant: string])[] = commands.map((words) => [words, far]);
    runs.push(['migrate up', made], ['partitions ensure --ahead 9', near], ['archive --older-than 5mo', near]);
    for (const [words, tenant] of runs) {
      const run = await aisec(`${words} --json`, tenant);
      expect(run.exitCode, `${words}: ${run.stderr}`).toBe(4);
      const error = JSON.parse(run.stderr.slice(run.stderr.lastIndexOf('\n{') + 1)) as { readonly error?: object };
      expect(JSON.stringify(error), words).toContain('NODE_UNREACHABLE');
      expect(run.stderr, words).toContain(worker.node);
    }
    const several = await aisec('partitions list --json', `${far},${near}`);
    expect(several.exitCode).toBe(4);
    expect(JSON.parse(several.stdout)).toMatchObject({ counts: { done: 1, failed: 1 } });
  });

  test('is named by monitor tenants, which shows the others with their sizes', async () => {
    interface Tenants {
      readonly tenants: readonly { readonly schema: string; readonly totalBytes: number | null }[];
    }
    const sizeOf = (stdout: string, name: string) =>
      (JSON.parse(stdout) as Tenants).tenants.find((tenant) => tenant.schema === name)?.totalBytes;
    const before = await aisec('monitor tenants --json', near);
    expect(JSON.parse(before.stdout)).toMatchObject({ areMovesKnown: true, skipped: [] });
    await worker.away();
    const run = await aisec('monitor tenants --json', near);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(sizeOf(run.stdout, near)).toBe(sizeOf(before.stdout, near));
    expect(sizeOf(run.stdout, far)).toBeNull();
    expect(JSON.parse(run.stdout)).toMatchObject({
      areMovesKnown: false,
      rebalance: null,
      nodes: expect.arrayContaining([
        expect.objectContaining({ node: worker.node, isReachable: false, totalBytes: null }),
      ]),
      skipped: [{ id: `not-seen:node ${worker.node}`, message: expect.stringContaining(far) }, { object: 'moves' }],
    });
    const { stderr } = await aisec('monitor tenants', near);
    expect(stderr).toContain(`skipped: node ${worker.node}: the coordinator does not reach it; not measured: `);
  });

  test('leaves nothing half-done when it goes in the middle, and the same command is done when it is back', async () => {
    const moments: (readonly [words: string, tenant: string, at: RegExp])[] = [
      ['partitions ensure --ahead 5', far, /aisec_make_message_partitions/],
      ['archive --older-than 5mo', far, /aisec_archive_month/],
      ['monitor record', far, /insert into size_record_tables/],
      ['migrate up', made, /truncate_local_data/],
      ['tenant undistribute', far, /drop schema/],
      ['tenant distribute', far, /citus_schema_distribute/],
      ['tenant undistribute', near, /drop schema/],
      ['tenant distribute', near, /enable trigger/],
    ];
    for (const [words, tenant, at] of moments) {
      const was = tenant === made ? undefined : await stateOf(tenant);
      const run = await doneAt(at, goes, () => aisec(words, tenant));
      expect(run.isReached, `${words} says ${String(at)}`).toBe(true);
      expect(run.exitCode, `${words}: ${run.stderr}`).toBe(4);
      expect(run.stderr, words).toContain(worker.node);
      await worker.back();
      if (was !== undefined && !words.startsWith('archive')) expect(await stateOf(tenant), words).toEqual(was);
      const again = await aisec(words === 'monitor record' ? words : `${words} --wait 1m`, tenant);
      expect(again.exitCode, `${words}: ${again.stderr}`).toBe(0);
    }
    for (const tenant of [near, far, made]) {
      expect(await nodeOf(tenant), tenant).toBeDefined();
      expect(await aisec('partitions check --keys', tenant)).toMatchObject({ exitCode: 0 });
      expect(await aisec('migrate verify', tenant)).toMatchObject({ exitCode: 0 });
    }
  });

  test('leaves a tenant that is restored whole on the coordinator, and says what gives it to a worker when it is back', async () => {
    const directory = path.join(await createEmbeddedDirectory(), 'backups');
    const backup = await aisec(`backup --json --dir ${directory}`, lost);
    const { file } = JSON.parse(backup.stdout) as { readonly file: string };
    const before = await rowsOf(lost);
    // In a session of its own: one that had a connection to the worker when it went fails once.
    await runPsql(url, `set client_min_messages = warning; drop schema ${lost} cascade;`);
    const run = await doneAt(/citus_schema_distribute/, goes, () => aisec(`tenant restore ${file}`, lost));
    expect(run).toMatchObject({ exitCode: 4, isReached: true, stderr: expect.stringContaining(worker.node) });
    expect(run.stderr).toContain(`aisec tenant distribute --schema ${lost}`);
    await worker.back();
    expect(await nodeOf(lost)).toBeUndefined();
    expect(await rowsOf(lost)).toEqual(before);
    expect(await aisec('tenant distribute --wait 1m', lost)).toMatchObject({ exitCode: 0 });
    expect(await nodeOf(lost)).toBeDefined();
    expect(await rowsOf(lost)).toEqual(before);
  });
});
