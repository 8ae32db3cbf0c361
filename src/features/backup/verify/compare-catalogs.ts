import type { CatalogSnapshot, CatalogTables } from '../../../adapters/catalog/catalog.js';
import { diffCatalogs } from '../../../adapters/catalog/diff.js';
import { renderDifference } from '../../../adapters/catalog/difference.js';
import { readCatalog } from '../../../adapters/catalog/snapshot.js';
import type { Session } from '../../../adapters/postgres/session.js';
import type { BackupManifest } from '../catalog/manifest.js';

/**
 * A CHECK such as `role in ('user', …)` on a varchar is printed with its casts in other places once it was restored
 * from its own text; the second restore prints it as the first one.
 */
function withoutTextCasts(definition: string): string {
  return definition.replaceAll(/::(?:text|character varying)(?:\[\])?/g, '').replaceAll(/[()]/g, '');
}

function comparable<Tables extends CatalogTables>(tables: Tables, withGrants: boolean): Tables {
  return {
    ...tables,
    // UNLOGGED says nothing of a table without rows of its own, and pg_dump and servers of 18 drop it there.
    tables: tables.tables.map((table) =>
      table.partitionKey === null ? table : { ...table, persistence: 'permanent' },
    ),
    grants: withGrants ? tables.grants : [],
    constraints: tables.constraints.map((constraint) =>
      constraint.type === 'check' ? { ...constraint, definition: withoutTextCasts(constraint.definition) } : constraint,
    ),
  };
}

/**
 * What a restored schema has otherwise than the one that was backed up, one line each; empty when nothing. A restore
 * without owners has no grants to compare.
 */
export function compareCatalogs(
  backedUp: CatalogSnapshot,
  restored: CatalogSnapshot,
  options: { readonly withGrants: boolean },
): readonly string[] {
  const prepare = (snapshot: CatalogSnapshot): CatalogSnapshot => ({
    ...comparable(snapshot, options.withGrants),
    partitions: comparable(snapshot.partitions, options.withGrants),
  });
  return diffCatalogs(prepare(backedUp), prepare(restored), { withPartitions: true }).map(renderDifference);
}

/** The same of the schema that a session sees; nothing where the manifest does not have its catalog. */
export async function catalogFaults(
  session: Session,
  { catalog }: Pick<BackupManifest, 'catalog'>,
  options: { readonly withGrants: boolean },
): Promise<readonly string[]> {
  if (catalog === null) return [];
  return compareCatalogs(catalog.snapshot, await readCatalog(session, { schema: catalog.schema }), options);
}
