import type { CatalogSnapshot } from '../../../src/adapters/catalog/catalog.js';
import { readCatalog, type ReadCatalogOptions } from '../../../src/adapters/catalog/snapshot.js';
import { openSession } from '../../../src/adapters/postgres/open.js';
import type { Session } from '../../../src/adapters/postgres/session.js';
import { resolveConfig } from '../../../src/config/config.js';
import { resolveDatabaseTarget, type DatabaseTarget } from '../../../src/config/database-target.js';

function serverTarget(url: string): DatabaseTarget {
  return resolveDatabaseTarget(resolveConfig({}, { DATABASE_URL: url }, process.cwd()));
}

/** A session as a command has it. */
export async function openTestSession(target: DatabaseTarget | string): Promise<Session> {
  return openSession(typeof target === 'string' ? serverTarget(target) : target, {
    applicationName: 'test catalog',
    schema: 'public',
    extensionSchema: 'public',
    lockTimeoutMs: 60_000,
    statementTimeoutMs: 0,
    idleTimeoutMs: 0,
    embedded: 'existing',
    signal: new AbortController().signal,
  });
}

/** Runs the callback with a session as a command has it, and closes it. */
export async function withSession<Result>(
  target: DatabaseTarget | string,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await openTestSession(target);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** The snapshot of one schema of a server's database or of an embedded one. */
export async function catalogOf(
  target: DatabaseTarget | string,
  options: ReadCatalogOptions,
): Promise<CatalogSnapshot> {
  return withSession(target, (session) => readCatalog(session, options));
}
