import { randomBytes } from 'node:crypto';

import pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';

import { sqlFile } from '../../src/adapters/postgres/sql-file.js';
import { needsCitus } from './needs.js';
import type { CliResult } from './run-cli.js';
import { runInProcess } from './run-in-process.js';
import { restoreNodes } from './worker-proxy.js';

const url = process.env['AISEC_TEST_CITUS_URL'] ?? '';
/** Settings of the database and the role authenticated are of all test files: one works at a time. */
const LOCK = 7_318_203;
/** The other files may take minutes each on busy cores. */
const LOCK_WITHIN_MS = 3_600_000;

export interface CitusTests {
  readonly url: string;
  /** A session of the superuser on the coordinator. */
  readonly admin: pg.Client;
  /** A name for a schema, which is dropped at the end. */
  readonly schema: (letter: string) => string;
  readonly aisec: (words: string, schema: string, env?: Readonly<Record<string, string>>) => Promise<CliResult>;
  /** The node that a schema lies on; undefined on the coordinator. */
  readonly nodeOf: (schema: string) => Promise<string | undefined>;
  /** The rows of each of its tables. */
  readonly rowsOf: (schema: string) => Promise<Readonly<Record<string, number>>>;
  /** Whether new schemas are distributed. */
  readonly setSharding: (value: 'on' | 'off') => Promise<unknown>;
}

/** Like `describe`, on the cluster of AISEC_TEST_CITUS_URL; not run without it. */
export function describeOnCitus(title: string, tests: (citus: CitusTests) => void): void {
  describe.skipIf(url === '')(`${title} ${needsCitus}`, () => {
    const id = randomBytes(4).toString('hex');
    const schemas = new Set<string>();
    const admin = new pg.Client({ connectionString: url });
    const citus: CitusTests = {
      url,
      admin,
      schema: (letter) => {
        schemas.add(`aisec_test_${id}_${letter}`);
        return `aisec_test_${id}_${letter}`;
      },
      aisec: (words, schema, env = {}) =>
        runInProcess([...words.split(' '), '--schema', schema], { env: { DATABASE_URL: url, ...env } }),
      nodeOf: async (schema) => (await admin.query<{ node: string }>(sqlFile('tenant/node'), [schema])).rows[0]?.node,
      rowsOf: async (schema) => {
        const { rows: tables } = await admin.query<{ table_name: string }>(sqlFile('tenant/tables'), [schema]);
        const counts: Record<string, number> = {};
        for (const { table_name: table } of tables) {
          const { rows } = await admin.query<{ rows: number }>(`select count(*)::int as rows from ${schema}.${table}`);
          counts[table] = rows[0]?.rows ?? 0;
        }
        return counts;
      },
      setSharding: (value) =>
        admin.query(
          `do $$ begin execute format('alter database %I set citus.enable_schema_based_sharding = ${value}', current_database()); end $$`,
        ),
    };
    beforeAll(async () => {
      await admin.connect();
      await admin.query('select pg_advisory_lock($1)', [LOCK]);
      // What a run that failed has left.
      await restoreNodes(admin);
      await admin.query('select citus_activate_node(nodename, nodeport) from pg_dist_node where not isactive');
      const { rowCount } = await admin.query("select from pg_roles where rolname = 'authenticated'");
      await admin.query(`${rowCount === 0 ? 'create' : 'alter'} role authenticated login`);
    }, LOCK_WITHIN_MS);
    afterAll(async () => {
      await admin.query('set client_min_messages = error');
      for (const schema of schemas) await admin.query(`drop schema if exists ${schema} cascade`);
      await admin.end();
    });
    tests(citus);
  });
}
