import type { Session } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { piecesOf } from '../../adapters/sql-parser/pieces.js';
import { AisecError } from '../../base/errors.js';
import type { MigrationFile } from './files/migration-file.js';
import type { CreatedObject } from './files/objects.js';
import { isBundled, labelOf } from './files/source.js';

interface Created extends CreatedObject {
  readonly schema: string;
  readonly file: MigrationFile;
}

/** A name that is not in the text as it will be in the catalog: `U&"d\0061ta"`, or cut off after 63 bytes. */
const OTHER_NAME = /u&|[\w$]{64}|(?=[\w$]*[\u0080-\uffff])[\w$\u0080-\uffff]{21}/i;

function wordsOf(sql: string): ReadonlySet<string> {
  return new Set(sql.toLowerCase().match(/[\w$]+/g));
}

/** The pieces of a file that have the word; of a large one most are data. */
function partWith(word: RegExp, { up }: MigrationFile): string {
  return piecesOf(up.sql)
    .flatMap(({ text }) => (word.test(text) ? [text] : []))
    .join('');
}

/**
 * The files that name an object that is there: only these are parsed. A file without the name of any object creates none
 * that is there, and the parser takes 60 ms to load.
 */
async function filesToParse(session: Session, files: readonly MigrationFile[]): Promise<readonly MigrationFile[]> {
  const texts = files.map((file) => {
    const sql = partWith(/create/i, file);
    return { file, words: wordsOf(sql), hasOtherName: OTHER_NAME.test(sql) };
  });
  const words = new Set(texts.flatMap((text) => [...text.words]));
  const { rows } = await session.query<{ name: string }>(sqlFile('migrate/objects-named'), [[...words]]);
  const names = rows.map(({ name }) => [...wordsOf(name)]);
  return texts.flatMap((text) => {
    const isNamed = names.some((name) => name.every((word) => text.words.has(word)));
    return isNamed || text.hasOtherName ? [text.file] : [];
  });
}

/**
 * Refuses a database that is neither empty nor ours: an object that a pending file creates is there already. Without
 * this the files before that one would stay in a foreign database.
 *
 * @throws AisecError MIGRATION_HISTORY.
 */
export async function refuseCollisions(
  session: Session,
  schema: string,
  files: readonly MigrationFile[],
): Promise<void> {
  const suspects = await filesToParse(session, files);
  if (suspects.length === 0) return;
  const { createdObjects } = await import('./files/objects.js');
  const created: Created[] = [];
  let droppingSql = '';
  for (const file of files) {
    // Dropped by a pending file, it may well be created again by that one or one after it.
    droppingSql += partWith(/\b(?:drop|rename)\b/i, file);
    if (!suspects.includes(file)) continue;
    for (const object of await createdObjects(piecesOf(file.up.sql)))
      if (!droppingSql.includes(object.name)) created.push({ ...object, schema: object.schema ?? schema, file });
  }
  if (created.length === 0) return;
  const { rows } = await session.query<{ position: number; kind: string }>(sqlFile('migrate/objects-there'), [
    created.map(({ kind }) => kind),
    created.map((object) => object.schema),
    created.map(({ name }) => name),
    created.map(({ parameters }) => parameters ?? null),
  ]);
  const [first, ...others] = rows.flatMap(({ position, kind }) => {
    const object = created[position - 1];
    return object === undefined
      ? []
      : [{ what: `a ${kind} "${object.name}"`, by: `which ${labelOf(object.file)} would create`, file: object.file }];
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
        : 'Give it another name in the migration, or write "if not exists" or "or replace".',
    },
  );
}
