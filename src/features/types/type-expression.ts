import type { ColumnShape, RelationShape, ValueType } from './relation.js';
import { literal } from './typescript.js';

/** PostgreSQL's own types that are not written as texts, by name. Whatever is not here is a string. */
const SCALARS: ReadonlyMap<string, string> = new Map([
  ['bool', 'boolean'],
  ['bytea', 'Bytes'],
  ['float4', 'number'],
  ['float8', 'number'],
  ['int2', 'number'],
  ['int4', 'number'],
  ['int8', 'Int8'],
  ['json', 'JsonText'],
  ['jsonb', 'JsonText'],
  ['numeric', 'Numeric'],
  ['oid', 'number'],
  ['timestamptz', 'Timestamp'],
]);

const OF_EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ['vector', 'Vector'],
  ['halfvec', 'Vector'],
]);

function union(values: readonly (string | number)[]): string {
  const members = values.map((value) => (typeof value === 'number' ? String(value) : literal(value)));
  return members.length === 0 ? 'never' : members.join(' | ');
}

function scalar({ base, origin, kind, labels }: ValueType): string {
  if (kind === 'enum') return union(labels);
  if (kind !== 'base') return 'string';
  if (origin === 'extension') return OF_EXTENSIONS.get(base) ?? 'string';
  return origin === 'pg_catalog' ? (SCALARS.get(base) ?? 'string') : 'string';
}

/** The type of a column in the interface of its table. */
export function columnType({ isView }: RelationShape, shape: ColumnShape): string {
  const { type, choices, jsonType, isNullable } = shape;
  const element = choices === undefined ? (jsonType ?? scalar(type)) : union(choices);
  const array = `${'ArrayOf<'.repeat(type.dimensions)}${element}${'>'.repeat(type.dimensions)}`;
  const value = type.isWrittenAsText ? `Read${array}` : array;
  const whole = isNullable && value !== 'never' ? `${value} | null` : isNullable ? 'null' : value;
  if (isView) return `ReadOnly<${whole}>`;
  if (shape.isAlwaysGenerated) return `AlwaysGenerated<${whole}>`;
  return shape.hasDefault ? `Generated<${whole}>` : whole;
}
