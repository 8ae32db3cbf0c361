import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { startPGlite } from '../../src/adapters/embedded/embedded.js';
import { createEmbeddedDirectory } from '../support/database.js';
import { buildDocument, fillDocument } from '../support/document-database.js';
import { queryEmbedded } from '../support/migrated-embedded.js';
import { runInProcess } from '../support/run-in-process.js';

/** Every message, in one text that is the same for the same multiset of rows. */
const CONTENT = `select count(*)::int as rows, md5(string_agg(md5(m::text), '' order by id)) as md5
  from (select id, conversation_id, role, content, parent_id, metadata, created_at from messages) m`;

describe('migrate adopt on the embedded database', () => {
  test('brings the database of the design document to the schema of the migrations', async () => {
    const dataDir = path.join(await createEmbeddedDirectory(), 'pgdata');
    const engine = await startPGlite(dataDir);
    await buildDocument((sql) => engine.exec(sql));
    await fillDocument((sql) => engine.exec(sql), 500);
    const { rows: before } = await engine.query(CONTENT);
    await engine.close();
    const env = { AISEC_DATA_DIR: dataDir };
    const run = await runInProcess(['migrate', 'adopt', '--yes'], { env });
    expect(run.stderr).not.toContain('error:');
    expect(run.exitCode).toBe(0);
    expect(await queryEmbedded(dataDir, CONTENT)).toEqual(before);
    expect((await runInProcess(['migrate', 'drift'], { env })).exitCode).toBe(0);
  });
});
