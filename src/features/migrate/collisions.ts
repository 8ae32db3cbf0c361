import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { createdRelations } from './files/objects.js';
import type { MigrationFile } from './files/migration-file.js';

interface Created {
  readonly schema: string;
  readonly name: string;
  readonly migration: string;
}

/**
 * Refuses a database that is neither empty nor ours: a relation that a pending file creates is there already. Without
 * this the files before that one would stay in a foreign database.
 *
 * @throws AisecError MIGRATION_HISTORY.
 */
export async function refuseCollisions(
  session: Session,
  schema: string,
  files: readonly MigrationFile[],
): Promise<void> {
  const created: Created[] = [];
  for (const file of files) {
    // Dropped by a pending file, it may well be created again by one.
    if (/\b(?:drop|rename)\b/i.test(file.up.sql)) continue;
    for (const relation of await createdRelations(file.up.sql))
      created.push({ schema: relation.schema ?? schema, name: relation.name, migration: file.name });
  }
  if (created.length === 0) return;
  const { rows } = await session.query<{ position: number; kind: string }>(sqlFile('migrate/relations-there'), [
    created.map((relation) => relation.schema),
    created.map((relation) => relation.name),
  ]);
  const [first, ...others] = rows.flatMap(({ position, kind }) => {
    const relation = created[position - 1];
    return relation === undefined
      ? []
      : [{ what: `a ${kind} "${relation.name}"`, by: `which ${relation.migration} would create` }];
  });
  if (first === undefined) return;
  const also = others.map(({ what, by }) => `${what}, ${by}`);
  throw new AisecError(
    'MIGRATION_HISTORY',
    `the schema "${schema}" of ${session.info.label} has ${first.what} already, ${first.by}`,
    {
      detail: `${also.length === 0 ? '' : `Also:\n  ${also.join('\n  ')}\n`}No changes were made.`,
      hint: 'Is it the schema of the migrations, made by another program or by hand? See: aisec migrate baseline --dry-run. Is it something else? Use an empty database, or a schema of its own: --schema NAME',
    },
  );
}
