import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';

import { describeOnCitus } from '../../support/citus.js';

interface Finding {
  readonly id: string;
  readonly check: string;
  readonly severity: string;
  readonly fix: string | null;
}

interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly skipped: readonly (Finding & { readonly message: string })[];
}

describeOnCitus('aisec doctor in a tenant of Citus', ({ url, admin, aisec, schema, setSharding }) => {
  const [tenant, plain] = [schema('t'), schema('p')];

  async function doctor(of: string, only: string): Promise<Diagnosis> {
    const run = await aisec(`doctor --json --only ${only}`, of);
    return JSON.parse(run.stdout) as Diagnosis;
  }
  const ids = async (of: string): Promise<readonly string[]> =>
    (await doctor(of, 'citus')).findings.map(({ id }) => id);
  /** In a session of its own, statement by statement, as psql sends what is pasted. */
  async function paste(fix: string): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      for (const statement of fix.split('\n')) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  beforeAll(async () => {
    await setSharding('off');
    expect(await aisec('migrate up', plain)).toMatchObject({ exitCode: 0 });
    await setSharding('on');
    expect(await aisec('migrate up', tenant)).toMatchObject({ exitCode: 0 });
    await admin.query('alter role authenticated login');
  });

  test('finds nothing in one that is as it should be, and names what it cannot see from the coordinator', async () => {
    const areas = 'security,partitions,archive,migrations,integrity,indexes,vectors,vacuum,sequences,citus';
    const { findings, skipped } = await doctor(tenant, areas);
    expect(findings.filter(({ severity }) => severity !== 'notice')).toEqual([]);
    expect(findings.map(({ check }) => check)).not.toContain('index-redundant');
    expect(skipped.find(({ check }) => check === 'vacuum-dead-rows')?.message).toMatch(
      /^the rows of the schema lie on the node \S+:\d+, where this is not looked at$/,
    );
    expect(skipped.find(({ check }) => check === 'citus-node-state')?.message).toContain(
      `aisec doctor --only live,wraparound,replication,settings,versions --schema ${tenant} with the address of `,
    );
    expect(skipped.filter(({ message }) => message.startsWith('the server says'))).toEqual([]);
  });

  test('looks at an ordinary schema beside them as it does without Citus', async () => {
    const { findings, skipped } = await doctor(plain, 'indexes,vectors,vacuum,citus');
    expect(findings.map(({ check }) => check)).toContain('index-redundant');
    expect(skipped.map(({ check }) => check)).toEqual(['citus-node-state']);
  });

  test('a database that does not distribute new schemas is a notice, which the fix ends', async () => {
    await setSharding('off');
    const { findings } = await doctor(tenant, 'citus');
    expect(findings).toMatchObject([{ check: 'citus-new-schemas', severity: 'notice' }]);
    await paste(findings[0]?.fix ?? '');
    expect(await ids(tenant)).toEqual([]);
  });

  test('a role that Citus cannot log in as is critical, which the fix ends', async () => {
    await admin.query('alter role authenticated nologin');
    const { findings } = await doctor(tenant, 'citus');
    expect(findings).toMatchObject([{ id: 'citus-role-login:authenticated', severity: 'critical' }]);
    await paste(findings[0]?.fix ?? '');
    expect(await ids(tenant)).toEqual([]);
  });

  test('a tenant that does not answer its users is critical', async () => {
    await admin.query(`revoke usage on schema ${tenant} from authenticated`);
    expect(await ids(tenant)).toEqual([`citus-user:${tenant}`]);
    await admin.query(`grant usage on schema ${tenant} to authenticated`);
    expect(await ids(tenant)).toEqual([]);
  });

  test('a worker that is disabled is critical, which the fix ends', async () => {
    const { rows } = await admin.query<{ host: string; port: number }>(
      'select nodename as host, nodeport as port from pg_dist_node where groupid <> 0 order by nodeport limit 1',
    );
    const { host, port } = rows[0] ?? { host: '', port: 0 };
    // citus_disable_node() refuses a node that has tenants.
    await admin.query('update pg_dist_node set isactive = false where nodename = $1 and nodeport = $2', [host, port]);
    const { findings } = await doctor(plain, 'citus');
    expect(findings).toMatchObject([{ id: `citus-node:${host}:${port}`, severity: 'critical' }]);
    // Citus makes the tables on a node in this order: message_keys comes after those whose triggers ask for it.
    await admin.query(
      "update pg_dist_object set force_delegation = force_delegation where classid = 'pg_class'::regclass and objid = $1::regclass",
      [`${tenant}.message_keys`],
    );
    await paste(findings[0]?.fix ?? '');
    expect(await ids(plain)).toEqual([]);
  });

  test('a schema that waits to be distributed is a warning, and migrate up distributes it', async () => {
    await admin.query(`comment on schema ${plain} is 'aisec: to be distributed'`);
    const { findings } = await doctor(plain, 'citus');
    expect(findings).toMatchObject([
      { id: `citus-awaited:${plain}`, severity: 'warning', fix: `aisec migrate up --schema ${plain}` },
    ]);
    expect(await aisec('migrate up', plain)).toMatchObject({ exitCode: 0 });
    expect(await ids(plain)).toEqual([]);
  });
});
