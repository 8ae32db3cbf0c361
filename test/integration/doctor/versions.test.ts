import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  cleanUpDatabases,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import { aisecOn, findingsOn, paste } from '../monitor-live/doctor-on.js';

describeOnServer('known faults of versions', () => {
  let database: ServerDatabase;
  let vector = '';

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
    const { rows } = await database.admin.query("select extversion from pg_extension where extname = 'vector'");
    vector = (rows[0] as { extversion: string }).extversion;
  });
  afterAll(cleanUpDatabases);

  // Debian 13 ships 0.8.0; on a server with a mended one there is nothing to be found.
  const hasFaults = (): boolean => /^0\.[0-7]\.|^0\.8\.[0-6]$/.test(vector);

  test('an old pgvector is named with the faults of each kind of index and the indexes that have it; an hnsw index makes it a warning', async () => {
    const before = await findingsOn(database.url, 'version-pgvector');
    if (!hasFaults()) return expect(before).toEqual([]);
    expect(before).toMatchObject([{ id: 'version-pgvector:vector', severity: 'notice', fix: null }]);
    expect(before[0]!.message).toContain(`pgvector ${vector} has known faults, which 0.8.7 fixes`);
    expect(before[0]!.message).toContain('ivfflat (public.idx_knowledge_base_embedding): ');
    if (vector === '0.8.0')
      expect(before[0]!.message).toContain(
        'hnsw (no such index here): CVE-2026-3172: a parallel build of the index leaks',
      );
    await database.admin.query('create index "By meaning" on knowledge_base using hnsw (embedding vector_cosine_ops)');
    const after = await findingsOn(database.url, 'version-pgvector');
    expect(after).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('hnsw (public."By meaning"): ') },
    ]);
    await database.admin.query('drop index "By meaning"');
  });

  test('an extension older than its package is found, and its fix updates it; monitor queries names the same statement', async () => {
    await database.admin.query("create extension pg_stat_statements version '1.4'");
    const [finding, ...others] = await findingsOn(database.url, 'version-extension');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      id: 'version-extension:pg_stat_statements',
      fix: 'alter extension "pg_stat_statements" update;',
    });
    expect((await aisecOn(database.url, 'monitor', 'queries')).stderr).toContain(
      'pg_stat_statements is older than 1.8, the first version with what is read. To see it: alter extension pg_stat_statements update;',
    );
    await paste(database.url, finding!.fix!);
    expect(await findingsOn(database.url, 'version-extension')).toEqual([]);
    await database.admin.query('drop extension pg_stat_statements');
  });
});
