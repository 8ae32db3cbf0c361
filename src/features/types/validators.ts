import { readCatalog } from '../../adapters/catalog/snapshot.js';
import type { Session } from '../../adapters/postgres/session.js';
import type { ColumnShape, RelationShape } from '../../adapters/type-codegen/relation.js';
import { AisecError } from '../../base/errors.js';
import { readShapes } from './shapes.js';

const HEADER = `// Written by \`aisec types generate --validators\` from the migrations; \`aisec types check --validators\` reports when they
// have moved on.
`;

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function call(name: string, ...given: readonly (string | undefined)[]): string {
  return `${name}(${given.filter((argument) => argument !== undefined).join(', ')})`;
}

/** `{ max: 50, isNotBlank: true }`; undefined when there is none. */
function rules(entries: Readonly<Record<string, unknown>>): string | undefined {
  const given = Object.entries(entries).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : `{ ${given.map(([name, value]) => `${name}: ${String(value)}`).join(', ')} }`;
}

function textRules({ checks }: ColumnShape, max: string | undefined): string | undefined {
  return rules({ max, isNotBlank: checks.isNotBlank });
}

/** The expression that makes the validator of a column, whatever its nullability. */
function columnExpression(relation: RelationShape, column: ColumnShape): string {
  const { type, checks, choices, jsonType } = column;
  if (choices !== undefined) return call('choiceColumn', `[${choices.map(literal).join(', ')}]`);
  const [whole = type, name = type, first, second, array] =
    /^([a-z ]+?)(?:\((\d+)(?:,(\d+))?\))?(\[\])?$/.exec(type) ?? [];
  const limits = rules({ atLeast: checks.atLeast });
  const isText = name === 'text' || name === 'character varying';
  if (isText) return call(array === undefined ? 'textColumn' : 'textArrayColumn', textRules(column, first));
  if (whole === 'uuid') return 'uuidColumn()';
  if (whole === 'boolean') return 'booleanColumn()';
  if (whole === 'smallint') return call('integerColumn', '16', limits);
  if (whole === 'integer') return call('integerColumn', '32', limits);
  if (whole === 'bigint') return call('bigintColumn', limits);
  if (name === 'numeric' && array === undefined) {
    const size = first === undefined ? undefined : `[${first}, ${second ?? '0'}]`;
    return call('numericColumn', size ?? (limits === undefined ? undefined : 'undefined'), limits);
  }
  if (whole === 'timestamp with time zone') return 'timestampColumn()';
  if (whole === 'date') return 'dateColumn()';
  if (whole === 'jsonb') return jsonType === undefined ? 'jsonTextColumn()' : `jsonObjectColumn<${jsonType}>()`;
  if (whole === 'vector(1536)') return 'embeddingColumn()';
  throw new AisecError(
    'CONFIG_INVALID',
    `there is no validator for the type of ${relation.name}.${column.name}, ${type}`,
    {
      hint: 'Leave the column to the database, or write the validator of this table by hand.',
    },
  );
}

function property(relation: RelationShape, column: ColumnShape): string {
  const key = /^[a-z_]\w*$/i.test(column.name) ? column.name : literal(column.name);
  const missing = column.isNullable ? '.nullish()' : column.hasDefault ? '.optional()' : '';
  return `  ${key}: ${columnExpression(relation, column)}${missing},\n`;
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function table(relation: RelationShape): string {
  const { name, rowName, columns } = relation;
  const written = columns.filter(({ isAlwaysGenerated }) => !isAlwaysGenerated);
  const insert = `new${rowName}`;
  return `/** An insert into ${name}. */
export const ${insert} = z.strictObject({
${written.map((column) => property(relation, column)).join('')}});
/** An update of ${name}. */
export const ${lowerFirst(rowName)}Update = ${insert}.partial();
`;
}

function imports(text: string, importFrom: string): string {
  const helpers = [...new Set(text.match(/\b[a-z][a-zA-Z]*Column(?=[(<])/g))].toSorted();
  const types = [...new Set(Array.from(text.matchAll(/Column<(\w+)>/g), ([, name = '']) => name))].toSorted();
  const list = (names: readonly string[]): string => names.map((name) => `  ${name},\n`).join('');
  const ofTypes = types.length === 0 ? '' : `\nimport type {\n${list(types)}} from '${importFrom}';`;
  return `import { z } from 'zod/v4';\n${ofTypes}\nimport {\n${list(helpers)}} from '${importFrom}';`;
}

/**
 * The text of Zod validators for inserts into and updates of the tables, the same for the same schema. `importFrom` is the
 * module of the validators of columns: `aisec/zod`.
 *
 * @throws AisecError CONFIG_INVALID for a column of a type that has no validator, DATABASE_FAILED.
 */
export async function generateValidators(session: Session, schema: string, importFrom: string): Promise<string> {
  const relations = await readShapes(await readCatalog(session, { schema, withoutHistory: true }));
  const tables = relations.filter(({ isView }) => !isView);
  const text = tables.map(table).join('\n');
  return `${HEADER}\n${imports(text, importFrom)}\n\n${text}`;
}
