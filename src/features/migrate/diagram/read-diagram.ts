import { refuseWithoutTables } from '../../../adapters/catalog/refuse-without-tables.js';
import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { mermaidDiagram, type DiagramOptions } from './diagram.js';

/** The diagram of a live schema. Reads the catalog only. @throws AisecError USAGE for a table that is not there, MIGRATION_PENDING. */
export async function readDiagram(session: Session, schema: string, options: DiagramOptions): Promise<string> {
  const catalog = await readCatalog(session, { schema, withoutHistory: true });
  if (catalog.tables.length === 0) await refuseWithoutTables(session, schema);
  return mermaidDiagram(catalog, options);
}
