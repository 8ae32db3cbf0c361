import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError } from '../../base/errors.js';
import { createdRelations } from './files/objects.js';
import type { MigrationFile } from './files/migration-file.js';
import { isBundled, labelOf } from './files/source.js';

interface Created {
  readonly schema: string;
  readonly name: string;
  readonly file: MigrationFile;
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
  let droppingSql = '';
  for (const file of files) {
    // Dropped by a pending file, it may well be created again by that one or one after it.
    if (/\b(?:drop|rename)\b/i.test(file.up.sql)) droppingSql += file.up.sql;
    for (const relation of await createdRelations(file.up.sql))
      if (!droppingSql.includes(relation.name))
        created.push({ schema: relation.schema ?? schema, name: relation.name, file });
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
      : [
          {
            what: `a ${kind} "${relation.name}"`,
            by: `which ${labelOf(relation.file)} would create`,
            file: relation.file,
          },
        ];
  });
  if (first === undefined) return;
  const also = others.map(({ what, by }) => `${what}, ${by}`);
  throw new AisecError(
    'MIGRATION_HISTORY',
    `the schema "${schema}" of ${session.info.label} has ${first.what} already, ${first.by}`,
    {
      detail: `${also.length === 0 ? '' : `Also:\n  ${also.join('\n  ')}\n`}No changes were made.`,
      hint: isBundled(first.file)
        ? 'Is it the schema of the migrations, made by another program or by hand? See: aisec migrate adopt --dry-run, aisec migrate baseline --dry-run. Is it something else? Use an empty database, or a schema of its own: --schema NAME'
        : 'Give it another name in the migration, or write "create table if not exists".',
    },
  );
}
