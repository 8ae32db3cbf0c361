import type { RelationShape } from './relation.js';
import { columnType } from './type-expression.js';
import { docstring, importLine, typeKey } from './typescript.js';

const HEADER =
  '// Written by `aisec types generate` from the migrations; `aisec types check` reports when they have changed.\n';

interface PrintedTable {
  readonly text: string;
  /** The names of types in it. */
  readonly uses: readonly string[];
}

function printTable(relation: RelationShape): PrintedTable {
  const uses: string[] = [];
  const columns = relation.columns.map((column) => {
    const type = columnType(relation, column);
    uses.push(...(type.replaceAll(/'(?:[^'\\]|\\.)*'/g, '').match(/\b[A-Z]\w*/g) ?? []));
    return `${column.comment ? docstring(column.comment, '  ') : ''}  ${typeKey(column.name)}: ${type};\n`;
  });
  const comment = relation.comment ? docstring(relation.comment, '') : '';
  return { text: `${comment}export interface ${relation.tableName} {\n${columns.join('')}}\n`, uses };
}

function rowTypes({ rowName, tableName, isView }: RelationShape): string {
  const selected = `export type ${rowName} = Selectable<${tableName}>;`;
  if (isView) return selected;
  return `${selected}\nexport type New${rowName} = Insertable<${tableName}>;\nexport type ${rowName}Update = Updateable<${tableName}>;`;
}

/** The Kysely types of the relations. `importFrom` is the module of the types of columns: `aisec/schema`. */
export function printTypes(relations: readonly RelationShape[], importFrom: string): string {
  const tables = relations.map(printTable);
  const keys = relations.map(({ key, tableName }) => `  ${typeKey(key)}: ${tableName};\n`);
  const isWritten = relations.some(({ isView }) => !isView);
  const ofKysely = relations.length === 0 ? [] : ['Selectable', ...(isWritten ? ['Insertable', 'Updateable'] : [])];
  return [
    HEADER,
    importLine(
      tables.flatMap(({ uses }) => uses),
      importFrom,
    ) + importLine(ofKysely, 'kysely'),
    ...tables.map(({ text }) => text),
    `export interface DB {\n${keys.join('')}}\n`,
    ...relations.map((relation) => `${rowTypes(relation)}\n`),
  ]
    .filter((part) => part !== '')
    .join('\n');
}
