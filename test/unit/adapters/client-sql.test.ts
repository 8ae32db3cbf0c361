import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { clientSql } from '../../../.config/client-sql.js';

const root = path.join(import.meta.dirname, '..', '..', '..');

test('the queries of sql/client are compiled in as they stand in their files', () => {
  expect(readFileSync(path.join(root, 'src/adapters/postgres/client-sql.ts'), 'utf8')).toBe(clientSql(root));
});
