import { beforeAll, describe, expect, test } from 'vitest';

import { createMigratedEmbedded, queryEmbedded } from '../support/migrated-embedded.js';
import { expectError } from '../support/expect-error.js';
import type { CliResult } from '../support/run-cli.js';
import { runInProcess } from '../support/run-in-process.js';

describe('aisec vector on the embedded database', () => {
  let dataDir = '';
  const aisec = (...args: readonly string[]): Promise<CliResult> =>
    runInProcess(['vector', ...args], { env: { AISEC_DATA_DIR: dataDir } });
  beforeAll(async () => {
    dataDir = await createMigratedEmbedded();
  });

  test('has nothing to train ivfflat on and nothing to measure without rows', async () => {
    const run = await aisec('rebuild');
    expect(run).toMatchObject({ exitCode: 0, stdout: '' });
    expect(run.stderr).toContain('no row has an embedding');
    expectError(await aisec('tune'), 3, 'knowledge_base has too few embeddings to measure on');
  });

  test('is measured, rebuilt and tuned', async () => {
    await queryEmbedded(
      dataDir,
      `insert into knowledge_base (content, embedding)
       select 'row ' || n, (array[cos(n / 10.0), sin(n / 10.0)] || array_fill(0::float8, array[1534]))::vector
       from generate_series(1, 60) n`,
    );
    expect((await aisec('rebuild')).exitCode).toBe(0);
    const status = await aisec('check', '--json');
    expect(status.exitCode).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({
      rows: 60,
      indexes: [{ name: 'idx_knowledge_base_embedding', lists: 1, builtOnRows: 60 }],
      measured: { recall: 1 },
      findings: [],
    });
    expect(JSON.parse((await aisec('tune', '--json')).stdout)).toMatchObject({ best: { value: 1, recall: 1 } });
    expect((await aisec('rebuild', '--method', 'hnsw')).stdout).toContain('using hnsw');
  });

  test.each([
    [['rebuild', '--method', 'gist'], '--method: invalid index method "gist"'],
    [['rebuild', '--method', 'hnsw', '--lists', '5'], '--lists and --method hnsw cannot be used together'],
    [['rebuild', '--type', 'bit'], '--type: invalid type "bit"'],
    [['rebuild', '--memory', '5'], '--memory: invalid memory size "5"'],
    [['rebuild', '--lists', '40000'], '--lists: "40000" is more than 32768'],
    [['tune', '--recall', '95'], '--recall: invalid recall "95"'],
  ])('refuses %j: exit 2', async (args, message) => {
    expectError(await aisec(...args), 2, message);
  });
});
