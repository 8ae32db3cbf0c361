// The JSON Schema of every command's --json, read from the program's own types: whatever a file in src/cli/commands hands to
// `output.result` or `output.frame` is what its command prints. So there is one source, and it is checked by the compiler.
// ts-json-schema-generator and typescript-json-schema need a newer Node or an older TypeScript than this project has.
import path from 'node:path';

import ts from 'typescript';

const root = path.join(import.meta.dirname, '..');
const PRINTERS = new Set(['result', 'frame', 'done', 'resultUnlessQuiet']);

function openProgram() {
  const file = path.join(root, 'tsconfig.json');
  const { options, fileNames } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(file, ts.sys.readFile).config,
    ts.sys,
    root,
  );
  return ts.createProgram(fileNames, { ...options, noEmit: true });
}

/** Turns types into schemas; interfaces and aliases become definitions of the one document. */
class SchemaWriter {
  #checker;
  #place;
  #names = new Map();
  definitions = {};

  constructor(checker, place) {
    this.#checker = checker;
    this.#place = place;
  }

  /** Undefined in a union is a field that is left out, which the caller knows. */
  schemaOf(type) {
    if (type.isUnion()) return this.#union(type.types.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined)));
    const { flags } = type;
    if (flags & ts.TypeFlags.StringLiteral || flags & ts.TypeFlags.NumberLiteral) return { const: type.value };
    if (flags & ts.TypeFlags.BooleanLiteral) return { const: this.#checker.typeToString(type) === 'true' };
    if (flags & (ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral)) return { type: 'string' };
    if (flags & ts.TypeFlags.Number) return { type: 'number' };
    if (flags & ts.TypeFlags.Null) return { type: 'null' };
    if (!(flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) return {};
    return this.#structure(type);
  }

  #union(types) {
    const values = types.filter((type) => type.isLiteral()).map(({ value }) => value);
    const booleans = types.filter(({ flags }) => flags & ts.TypeFlags.BooleanLiteral);
    const others = types.filter((type) => !type.isLiteral() && !(type.flags & ts.TypeFlags.BooleanLiteral));
    const schemas = [
      ...(values.length === 0 ? [] : [{ enum: values.toSorted() }]),
      ...(booleans.length === 2 ? [{ type: 'boolean' }] : booleans.map((type) => this.schemaOf(type))),
      ...others.map((type) => this.schemaOf(type)),
    ];
    if (schemas.length === 1) return schemas[0];
    const isPlain = schemas.every((schema) => Object.keys(schema).join() === 'type');
    // The order of a union is the compiler's own, and changes with files that have nothing to do with it.
    const inOrder = schemas.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return isPlain ? { type: inOrder.map(({ type }) => type) } : { anyOf: inOrder };
  }

  #structure(type) {
    const checker = this.#checker;
    if (type.symbol?.name === 'Date') return { type: 'string', format: 'date-time' };
    if (checker.isArrayType(type)) return { type: 'array', items: this.schemaOf(checker.getTypeArguments(type)[0]) };
    if (checker.isTupleType(type))
      return { type: 'array', prefixItems: checker.getTypeArguments(type).map((each) => this.schemaOf(each)) };
    const name =
      type.aliasSymbol?.name ?? (type.symbol?.flags & ts.SymbolFlags.Interface ? type.symbol.name : undefined);
    if (name === undefined || type.aliasTypeArguments !== undefined) return this.objectOf(type);
    const known = this.#names.get(type);
    if (known !== undefined) return { $ref: `#/$defs/${known}` };
    let free = name;
    for (let number = 2; free in this.definitions; number += 1) free = `${name}${number}`;
    this.#names.set(type, free);
    // Taken before it is filled in: a type may hold itself.
    this.definitions[free] = {};
    this.definitions[free] = { ...describe(this.#checker, type.symbol), ...this.objectOf(type) };
    return { $ref: `#/$defs/${free}` };
  }

  objectOf(type) {
    const checker = this.#checker;
    const properties = {};
    const required = [];
    for (const symbol of checker.getPropertiesOfType(type)) {
      const property = checker.getTypeOfSymbolAtLocation(symbol, this.#place);
      if (property.getCallSignatures().length > 0) continue;
      properties[symbol.name] = { ...this.schemaOf(property), ...describe(checker, symbol) };
      const types = property.isUnion() ? property.types : [property];
      const canBeLeftOut = types.some(({ flags }) => flags & ts.TypeFlags.Undefined);
      if (!(symbol.flags & ts.SymbolFlags.Optional) && !canBeLeftOut) required.push(symbol.name);
    }
    const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
    return {
      type: 'object',
      ...(Object.keys(properties).length > 0 && { properties, required }),
      ...(index !== undefined && { additionalProperties: this.schemaOf(index) }),
    };
  }
}

function describe(checker, symbol) {
  const text = symbol === undefined ? '' : ts.displayPartsToString(symbol.getDocumentationComment(checker));
  return text === '' ? {} : { description: text.replaceAll(/\s+/g, ' ') };
}

/** The names of a file's commands, and the types of what they print. */
function commandIn(source, checker) {
  let name;
  const types = [];
  const visit = (node) => {
    if (ts.isCallExpression(node)) {
      const callee = ts.isPropertyAccessExpression(node.expression)
        ? node.expression.name.text
        : node.expression.getText();
      const [first, second] = node.arguments;
      if (callee === 'defineCommand' || callee === 'defineReport') {
        const named = first.properties.find((property) => property.name?.getText() === 'name');
        name = named?.initializer?.text;
        const document = first.properties.find((property) => property.name?.getText() === 'document');
        const data = node.typeArguments?.[1];
        if (document !== undefined) {
          const [signature] = checker.getTypeAtLocation(document.initializer).getCallSignatures();
          types.push(checker.getReturnTypeOfSignature(signature));
        } else if (callee === 'defineReport' && data !== undefined) types.push(checker.getTypeFromTypeNode(data));
      } else if (PRINTERS.has(callee))
        types.push(checker.getTypeAtLocation(callee === 'resultUnlessQuiet' ? second : first));
    }
    node.forEachChild(visit);
  };
  visit(source);
  return { name, types };
}

function schemaOfDocument({ name, types }, summary, version, writer) {
  const alternatives = types.flatMap((type) => (type.isUnion() ? type.types : [type]));
  const branches = alternatives.map((type) => {
    const { properties = {}, required = [], ...more } = writer.objectOf(type);
    return {
      ...more,
      properties: { formatVersion: { const: version }, ...properties },
      required: ['formatVersion', ...required],
    };
  });
  const distinct = [...new Map(branches.map((branch) => [JSON.stringify(branch), branch])).entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, branch]) => branch);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `aisec ${name} --json`,
    description: summary,
    ...(distinct.length === 1 ? distinct[0] : { anyOf: distinct }),
    ...(Object.keys(writer.definitions).length > 0 && { $defs: writer.definitions }),
  };
}

/**
 * `docs/json/migrate-up.schema.json` → its text, for every command that prints a document.
 *
 * @param {readonly { readonly name: string; readonly summary: string }[]} commands
 * @param {number} version of the format
 * @returns {ReadonlyMap<string, object>}
 */
export function jsonSchemas(commands, version) {
  const program = openProgram();
  const checker = program.getTypeChecker();
  const schemas = new Map();
  for (const source of program.getSourceFiles()) {
    if (!path.relative(root, source.fileName).startsWith(path.join('src', 'cli', 'commands'))) continue;
    const command = commandIn(source, checker);
    const spec = commands.find(({ name }) => name === command.name);
    if (spec === undefined || command.types.length === 0) continue;
    const writer = new SchemaWriter(checker, source);
    const schema = schemaOfDocument(command, spec.summary, version, writer);
    schemas.set(`docs/json/${spec.name.replaceAll(' ', '-')}.schema.json`, schema);
  }
  const source = program.getSourceFile(path.join(root, 'src', 'cli', 'schemas', 'outcome.ts'));
  const several = checker
    .getExportsOfModule(checker.getSymbolAtLocation(source))
    .find(({ name }) => name === 'SeveralSchemas');
  const document = { name: 'COMMAND --schema LIST', types: [checker.getDeclaredTypeOfSymbol(several)] };
  const summary = 'what a command did in several schemas; the result of each is the document of the command';
  schemas.set(
    'docs/json/several-schemas.schema.json',
    schemaOfDocument(document, summary, version, new SchemaWriter(checker, source)),
  );
  return schemas;
}
