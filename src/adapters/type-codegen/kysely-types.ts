import {
  ColumnMetadata,
  DatabaseMetadata,
  GenericExpressionNode,
  IdentifierNode,
  LiteralNode,
  PostgresDialect,
  UnionExpressionNode,
  generate,
  type ExpressionNode,
} from 'kysely-codegen';
import { Kysely, PostgresDialect as KyselyPostgresDialect } from 'kysely';

import type { Session } from '../postgres/session.js';
import type { ColumnShape, RelationShape } from './relation.js';
import { TypesSerializer } from './types-serializer.js';

/** Kysely's dialect asks for a pool; the session is its only connection, for one query at a time. */
function kyselyOn(session: Session): Kysely<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  const query = (text: string, values: readonly unknown[]): Promise<unknown> => {
    last = last.then(() => session.query(text, values));
    return last;
  };
  const client = { query, release: () => undefined };
  const pool = { connect: () => Promise.resolve(client), end: () => Promise.resolve() };
  return new Kysely({ dialect: new KyselyPostgresDialect({ pool: pool as never }) });
}

function orNull(node: ExpressionNode, isNullable: boolean): ExpressionNode {
  return isNullable ? new UnionExpressionNode([node, new IdentifierNode('null')]) : node;
}

/** The type of a column that kysely-codegen does not know or would make writable; undefined where its own is right. */
function overrideOf(
  relation: RelationShape,
  shape: ColumnShape,
  column: ColumnMetadata,
  dialect: PostgresDialect,
): ExpressionNode | undefined {
  const isJson = column.dataType === 'jsonb' || column.dataType === 'json';
  const special = column.dataType === 'vector' ? 'Vector' : isJson ? (shape.jsonType ?? 'JsonText') : undefined;
  const wrapper = relation.isView ? 'ReadOnly' : shape.isAlwaysGenerated ? 'AlwaysGenerated' : undefined;
  if (special === undefined && wrapper === undefined) return undefined;
  const scalar = column.enumValues
    ? new UnionExpressionNode(column.enumValues.map((value) => new LiteralNode(value)))
    : special === undefined
      ? ((dialect.adapter.scalars as Readonly<Record<string, ExpressionNode>>)[column.dataType] ??
        new IdentifierNode('string'))
      : new IdentifierNode(special);
  const base = column.isArray ? new GenericExpressionNode('Array', [scalar]) : scalar;
  const whole = orNull(base, shape.isNullable);
  if (wrapper !== undefined) return new GenericExpressionNode(wrapper, [whole]);
  return column.hasDefaultValue ? new GenericExpressionNode('Generated', [whole]) : whole;
}

/**
 * The Kysely types of the given relations of one schema, by kysely-codegen, with what it cannot know (CHECK lists,
 * generated columns, views, vectors, jsonb) put in from their shapes. `importFrom` is the module of `Vector` and of the
 * types of jsonb.
 */
export async function printKyselyTypes(
  session: Session,
  schema: string,
  relations: readonly RelationShape[],
  importFrom: string,
): Promise<string> {
  const dialect = new PostgresDialect({ dateParser: 'string', defaultSchemas: [schema] });
  const columns: Record<string, ExpressionNode> = {};
  const jsonTypes = relations.flatMap((relation) => relation.columns.flatMap(({ jsonType }) => jsonType ?? []));
  const imported = ['Vector', 'JsonText', 'ReadOnly', 'AlwaysGenerated', ...jsonTypes];
  return generate({
    // Its declarations name the CommonJS build of Kysely, another type than this module's.
    db: kyselyOn(session) as never,
    dialect,
    defaultSchemas: [schema],
    outFile: null,
    customImports: Object.fromEntries(imported.map((name) => [name, `${importFrom}#${name}`])),
    overrides: { columns },
    serializer: new TypesSerializer(relations),
    postprocess: ({ metadata }) => {
      const byName = new Map(
        metadata.tables.filter((table) => table.schema === schema).map((table) => [table.name, table]),
      );
      const tables = relations.flatMap((relation) => {
        const found = byName.get(relation.name);
        if (found === undefined) return [];
        const own = relation.columns.flatMap((shape) => {
          const known = found.columns.find(({ name }) => name === shape.name);
          if (known === undefined) return [];
          const options = {
            name: known.name,
            dataType: known.dataType,
            hasDefaultValue: known.hasDefaultValue,
            isArray: known.isArray,
            isAutoIncrementing: known.isAutoIncrementing,
            dataTypeSchema: known.dataTypeSchema ?? schema,
            enumValues: shape.choices === undefined ? known.enumValues : [...shape.choices],
            isNullable: shape.isNullable,
            comment: shape.comment,
          };
          const node = overrideOf(relation, shape, new ColumnMetadata(options), dialect);
          if (node === undefined) return [options];
          columns[`${relation.name}.${shape.name}`] = node;
          // The override says already whether null is allowed.
          return [{ ...options, isNullable: false }];
        });
        return [{ name: relation.name, schema, isView: relation.isView, columns: own }];
      });
      return Promise.resolve(new DatabaseMetadata({ enums: metadata.enums, tables }));
    },
  });
}
