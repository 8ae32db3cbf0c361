import { afterEach, beforeEach, expect, test } from 'vitest';

import { assertSchema, createDatabase } from '../../../src/index.js';
import { schemaColumns } from '../../../.config/schema-columns.js';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createServerDatabase, describeOnServer } from '../../support/database.js';
import { createServiceDatabase, type ServiceDatabase } from './service-role.js';

const root = path.join(import.meta.dirname, '../../..');

describeOnServer('assertSchema', () => {
  let service: ServiceDatabase;
  let db: ReturnType<typeof createDatabase>;
  beforeEach(async () => {
    service = await createServiceDatabase(1);
    db = createDatabase({ url: service.url, poolSize: 1, maxOverflow: 0 });
  });
  afterEach(() => db.destroy());

  test('passes for the role of a service on a migrated database, and on a newer one', async () => {
    await assertSchema(db);
    await service.database.admin.query('alter table messages add column tone text; create table tones (id int)');
    await assertSchema(db);
  });

  test('names the columns and tables that are missing, and the command that makes them', async () => {
    await service.database.admin.query('alter table files drop column metadata; drop table api_usage cascade');
    await expect(assertSchema(db)).rejects.toMatchObject({
      code: 'MIGRATION_PENDING',
      detail: 'Missing: table api_usage, column files.metadata.',
      hint: expect.stringContaining('aisec migrate up'),
    });
  });

  test('names five of many on a database without a schema', async () => {
    const empty = await createServerDatabase();
    const other = createDatabase({ url: empty.url, poolSize: 1, maxOverflow: 0 });
    await expect(assertSchema(other)).rejects.toMatchObject({ detail: expect.stringMatching(/and \d+ more\.$/u) });
    await other.destroy();
  });

  test('asks for what the types of this version have', () => {
    expect(readFileSync(path.join(root, 'src/schema/columns.ts'), 'utf8')).toBe(schemaColumns(root));
  });
});
