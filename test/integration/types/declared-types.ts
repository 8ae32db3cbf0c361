import ts from 'typescript';

/** What the interfaces of a file of generated types declare, by the table's key in DB and the column's name. */
export class DeclaredTypes {
  readonly #columns = new Map<string, ts.TypeNode>();
  readonly #updates = new Map<string, string>();

  constructor(text: string) {
    const source = ts.createSourceFile('db.ts', text, ts.ScriptTarget.Latest);
    const members = new Map(
      source.statements
        .filter((statement) => ts.isInterfaceDeclaration(statement))
        .map(({ name, members }) => [name.text, members.filter((member) => ts.isPropertySignature(member))]),
    );
    const nameOf = (member: ts.PropertySignature): string => (member.name as ts.StringLiteral).text;
    const tables = members.get('DB') ?? [];
    const rowNames = new Map(
      Array.from(text.matchAll(/^export type (\S+) = Selectable<(\S+)>;$/gmu), ([, row = '', table = '']) => [
        table,
        row,
      ]),
    );
    for (const table of tables) {
      const { text: name } = (table.type as ts.TypeReferenceNode).typeName as ts.Identifier;
      const row = rowNames.get(name) ?? '';
      this.#updates.set(nameOf(table), `${row.replace(/^./su, (first) => first.toLowerCase())}Update`);
      for (const member of members.get(name) ?? [])
        if (member.type !== undefined) this.#columns.set(JSON.stringify([nameOf(table), nameOf(member)]), member.type);
    }
  }

  /** The name of the validator of an update. */
  updateOf(key: string): string {
    return this.#updates.get(key) ?? '';
  }

  column(key: string, column: string): ts.TypeNode {
    const found = this.#columns.get(JSON.stringify([key, column]));
    if (found === undefined) throw new Error(`${key}.${column} has no type`);
    return found;
  }
}

const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every(Number.isFinite);

/** How a value that is read has to be, by the names that the file imports. */
const NAMED: Readonly<Record<string, (value: unknown) => boolean>> = {
  Bytes: (value) => value instanceof Uint8Array,
  Int8: (value) => typeof value === 'string' && /^-?\d+$/.test(value),
  JsonText: (value) => value === null || ['string', 'number', 'boolean', 'object'].includes(typeof value),
  Numeric: (value) => typeof value === 'string' && /^(-?[\d.]+|NaN|-?Infinity)$/.test(value),
  Timestamp: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  Vector: isNumbers,
};

/** Whether a value that was read is of the declared type. */
export function isOfType(type: ts.TypeNode, value: unknown): boolean {
  if (ts.isUnionTypeNode(type)) return type.types.some((member) => isOfType(member, value));
  if (ts.isLiteralTypeNode(type)) {
    const { literal } = type;
    if (literal.kind === ts.SyntaxKind.NullKeyword) return value === null;
    return ts.isStringLiteral(literal)
      ? value === literal.text
      : ts.isNumericLiteral(literal) && value === Number(literal.text);
  }
  if (type.kind === ts.SyntaxKind.StringKeyword) return typeof value === 'string';
  if (type.kind === ts.SyntaxKind.NumberKeyword) return typeof value === 'number';
  if (type.kind === ts.SyntaxKind.BooleanKeyword) return typeof value === 'boolean';
  if (!ts.isTypeReferenceNode(type)) throw new Error(`a type of kind ${type.kind} is not known`);
  const name = (type.typeName as ts.Identifier).text;
  const [inner] = type.typeArguments ?? [];
  if (inner !== undefined && ['Generated', 'ReadOnly', 'AlwaysGenerated'].includes(name)) return isOfType(inner, value);
  if (inner !== undefined && ['ArrayOf', 'ReadArrayOf'].includes(name))
    return Array.isArray(value) && value.every((item) => item === null || isOfType(inner, item));
  const test = NAMED[name];
  if (test === undefined) throw new Error(`type ${name} is not known`);
  return test(value);
}
