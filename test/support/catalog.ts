import { readCatalog } from '../../src/adapters/catalog/snapshot.js';
import type { CatalogSnapshot } from '../../src/adapters/catalog/catalog.js';
import { openSession } from '../../src/adapters/postgres/open.js';
import { resolveConfig } from '../../src/config/config.js';
import { resolveDatabaseTarget } from '../../src/config/database-target.js';

/** Everything in a schema of the database at `url`. */
export async function snapshotOf(url: string, schema = 'public'): Promise<CatalogSnapshot> {
  const config = resolveConfig({}, { DATABASE_URL: url }, process.cwd());
  const session = await openSession(resolveDatabaseTarget(config), {
    applicationName: 'test catalog',
    schema,
    extensionSchema: 'public',
    lockTimeoutMs: 60_000,
    statementTimeoutMs: 0,
    idleTimeoutMs: 0,
    embedded: 'existing',
    signal: new AbortController().signal,
  });
  try {
    return await readCatalog(session, { schema });
  } finally {
    await session.close();
  }
}
