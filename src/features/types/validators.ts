import type { Session } from '../../adapters/postgres/session.js';
import type { GeneratedText } from './generate.js';
import type { ColumnShape, RelationShape } from './relation.js';
import { readRelations } from './relations.js';
import type { Selection } from './selection.js';
import { importLine, typeKey } from './typescript.js';
import { validatorOf } from './validator-expression.js';

const HEADER = `// Written by \`aisec types generate --validators\` from the migrations; \`aisec types check --validators\` reports when they
// have moved on.
`;

function property(column: ColumnShape): string {
  if (column.name === '__proto__') return '  // __proto__ is left out: Zod gives no such key.\n';
  const { call, remark } = validatorOf(column);
  const missing = column.isNullable ? '.nullish()' : column.hasDefault ? '.optional()' : '';
  const comment = remark === undefined ? '' : `  // ${remark.replaceAll(/\s+/g, ' ')}\n`;
  return `${comment}  ${typeKey(column.name)}: ${call}${missing},\n`;
}

function lowerFirst(name: string): string {
  return name.replace(/^./su, (first) => first.toLowerCase());
}

function table(relation: RelationShape): string {
  const { key, rowName, columns } = relation;
  const written = columns.filter(({ isAlwaysGenerated }) => !isAlwaysGenerated);
  const insert = `new${rowName}`;
  const name = key.replaceAll(/\s+/g, ' ').replaceAll('*/', '*\\/');
  return `/** An insert into ${name}. */
export const ${insert} = z.strictObject({
${written.map(property).join('')}});
/** An update of ${name}. */
export const ${lowerFirst(rowName)}Update = ${insert}.partial();
`;
}

function imports(tables: readonly RelationShape[], importFrom: string): string {
  const calls = tables.flatMap(({ columns }) => columns.map((column) => validatorOf(column).call));
  const code = calls.join('\n').replaceAll(/'(?:[^'\\]|\\.)*'/g, '');
  const types = Array.from(code.matchAll(/Column<(\w+)>/g), ([, name = '']) => name);
  const helpers = code.match(/\b[a-z]\w*Column\b/g) ?? [];
  const [typeLine, line] = [importLine(types, importFrom), importLine(helpers, importFrom, 'import')];
  return `import { z } from 'zod/v4';\n${typeLine === '' ? '' : '\n'}${typeLine}${line === '' ? '' : '\n'}${line}`;
}

/**
 * The text of Zod validators for inserts into and updates of the tables, the same for the same schema. `importFrom` is the
 * module of the validators of columns: `aisec/zod`.
 *
 * @throws AisecError USAGE for a selection that names what is not there, DATABASE_FAILED.
 */
export async function generateValidators(
  session: Session,
  selection: Selection,
  importFrom: string,
): Promise<GeneratedText> {
  const { relations, leftOut } = await readRelations(session, selection);
  const tables = relations.filter(({ isView }) => !isView);
  return { text: `${HEADER}\n${imports(tables, importFrom)}\n${tables.map(table).join('\n')}`, leftOut };
}
