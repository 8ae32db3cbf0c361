import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { afterAll, expect, test } from 'vitest';

import { chance, rounds } from '../support/chance.js';
import { createServerDatabase, describeOnServer } from '../support/database.js';
import { buildDocument, fillDocument } from '../support/document-database.js';
import { countStatements, positions, terminatedAt } from '../support/kill-at-statement.js';
import { startCli, type CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';
import { waitFor } from '../support/wait-for.js';

const cacheDir = mkdtempSync(path.join(tmpdir(), 'aisec-test-cache-'));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

/** Every message, in one text that is the same for the same multiset of rows. */
const CONTENT = `select count(*)::int as rows, md5(string_agg(md5(m::text), '' order by id)) as md5
  from (select id, conversation_id, role, content, parent_id, metadata, created_at, tokens from messages) m`;
const OWN_COLUMN = 'alter table messages add column tokens int not null default 7 check (tokens >= 0)';
const KILLS = rounds(4, 20);
/** Far beyond what a busy machine takes: it ends a test that hangs. */
const LIMIT_MS = rounds(600_000, 7_200_000);

describeOnServer('kill -9 at any moment of migrate adopt, beside writers', () => {
  test(
    `${KILLS} times at random, then once more to the end, loses no message and leaves the schema of the migrations`,
    async () => {
      const database = await createServerDatabase();
      await buildDocument((sql) => database.admin.query(sql));
      await fillDocument((sql) => database.admin.query(sql), 30_000);
      await database.admin.query(OWN_COLUMN);
      const before = (await database.admin.query(CONTENT)).rows;
      const env = { DATABASE_URL: database.url, AISEC_CACHE_DIR: cacheDir };
      const args = ['migrate', 'adopt', '--yes', '--wait', '30s'];
      const writer = await startWriter(database.url);
      const random = chance();
      for (let kill = 0; kill < KILLS; kill += 1) {
        const running = startCli(args, { env });
        await waitFor(async () => {
          const { rowCount } = await database.admin.query(
            "select from pg_stat_activity where application_name = 'aisec migrate adopt' and datname = current_database()",
          );
          return (rowCount ?? 0) > 0 || running.child.exitCode !== null;
        });
        await sleep(random() * 2500);
        running.child.kill('SIGKILL');
        await running.finished;
      }
      const last = await runInProcess(args, { env });
      expect(last.stderr).not.toContain('error:');
      expect(last.exitCode).toBe(0);
      const { written, errors } = await writer.stop();
      expect(errors).toEqual([]);
      const { rows } = await database.admin.query(
        "select id, content from messages where content like 'live %' order by id",
      );
      expect(rows).toEqual([...written].toSorted().map((id) => ({ id, content: `live ${id}` })));
      expect(written.size).toBeGreaterThan(50);
      await database.admin.query("delete from messages where content like 'live %'");
      expect((await database.admin.query(CONTENT)).rows).toEqual(before);
      const drift = await runInProcess(['migrate', 'drift', '--json'], { env });
      const left = (JSON.parse(drift.stdout) as { findings: readonly { id: string; severity: string }[] }).findings
        .filter(({ severity }) => severity !== 'notice')
        .map(({ id }) => id);
      expect(left.filter((id) => !id.includes('tokens'))).toEqual([]);
      expect(left).toContain('column-extra:messages_archive.tokens');
      expect((await runInProcess(['partitions', 'check', '--keys'], { env })).stdout).not.toContain('critical');
    },
    LIMIT_MS,
  );
});

describeOnServer('migrate adopt whose session ends at any statement', () => {
  test(
    'continues from there the next time, with every message and a column of the team',
    async () => {
      const database = await createServerDatabase();
      const env = { DATABASE_URL: database.url, AISEC_CACHE_DIR: cacheDir };
      const adopt = (): Promise<CliResult> => runInProcess(['migrate', 'adopt', '--yes', '--wait', '30s'], { env });
      const content = async (): Promise<unknown> => (await database.admin.query(CONTENT)).rows;
      const rebuild = async (): Promise<unknown> => {
        await database.admin.query('drop schema public cascade; create schema public');
        await buildDocument((sql) => database.admin.query(sql));
        await fillDocument((sql) => database.admin.query(sql), 300);
        await database.admin.query(OWN_COLUMN);
        await database.admin.query("update messages set tokens = length(content) where role = 'user'");
        return content();
      };
      await rebuild();
      const statements = await countStatements(adopt);
      expect(statements).toBeGreaterThan(100);
      let ended = 0;
      for (const position of positions(statements, rounds(150, 1))) {
        const before = await rebuild();
        if ((await terminatedAt(position, database, adopt)).exitCode !== 0) ended += 1;
        expect(await content(), `statement ${position}`).toEqual(before);
        const last = await adopt();
        expect(last.exitCode, `after statement ${position}: ${last.stderr}`).toBe(0);
        expect(await content(), `after statement ${position}`).toEqual(before);
        const check = await runInProcess(['migrate', 'check'], { env });
        expect(check.exitCode, `after statement ${position}: ${check.stderr}`).toBe(0);
      }
      expect(ended).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});

/** Writes messages of these months, one after the other, until it is stopped. */
async function startWriter(url: string): Promise<{
  readonly stop: () => Promise<{ readonly written: ReadonlySet<string>; readonly errors: readonly string[] }>;
}> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const written = new Set<string>();
  const errors: string[] = [];
  let isStopped = false;
  const work = (async (): Promise<void> => {
    while (!isStopped) {
      const id = randomUUID();
      try {
        await client.query(
          `insert into messages (id, conversation_id, role, content, created_at)
           select $1, id, 'user', $2, now() - $3 * interval '1 day' from conversations limit 1`,
          [id, `live ${id}`, written.size % 200],
        );
        written.add(id);
      } catch (error) {
        errors.push(String(error));
      }
      await sleep(2);
    }
  })();
  return {
    stop: async () => {
      isStopped = true;
      await work;
      await client.end();
      return { written, errors };
    },
  };
}
