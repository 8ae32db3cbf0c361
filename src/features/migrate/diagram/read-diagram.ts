import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { mermaidDiagram, type DiagramOptions } from './diagram.js';

/** The diagram of a live schema. Reads the catalog only. @throws AisecError USAGE for a table that is not there. */
export async function readDiagram(session: Session, schema: string, options: DiagramOptions): Promise<string> {
  return mermaidDiagram(await readCatalog(session, { schema, withoutHistory: true }), options);
}
