import { listed } from '../../../base/count.js';
import { schemaName, shellWord } from '../../../base/package/aisec-command.js';
import type { Toc } from './toc.js';

/** A dump has no placement. What Citus had distributed is known by a function that only a tenant has. */
export function tenantWarnings({ entries }: Toc): readonly string[] {
  const names = entries.flatMap(({ kind, description }) => {
    const [, schema] = (kind === 'FUNCTION' && /^(.*) aisec_acting_user\(\) /.exec(description)) || [];
    return schema === undefined ? [] : [schemaName(schema)];
  });
  if (names.length === 0) return [];
  return [
    `${listed(names)}: tenants of Citus, and ordinary schemas in this database. On a coordinator with workers: aisec tenant distribute --schema ${shellWord(names.join(','))}`,
  ];
}
