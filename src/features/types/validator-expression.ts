import type { ColumnShape, ValueType } from './relation.js';
import { literal } from './typescript.js';

/** The call that makes the validator of a value, and what it leaves to the database: undefined when that is nothing. */
export interface Validator {
  readonly call: string;
  readonly remark?: string;
}

function call(name: string, ...given: readonly (string | undefined)[]): string {
  return `${name}(${given.filter((argument) => argument !== undefined).join(', ')})`;
}

/** `{ max: 50, isNotBlank: true }`; undefined when there is none. */
function rules(entries: Readonly<Record<string, unknown>>): string | undefined {
  const given = Object.entries(entries).filter(([, value]) => value !== undefined && value !== null);
  return given.length === 0 ? undefined : `{ ${given.map(([name, value]) => `${name}: ${String(value)}`).join(', ')} }`;
}

function numeric({ type, checks }: ColumnShape): string {
  const [, precision, scale = '0'] = /\((\d+)(?:,(-?\d+))?\)/.exec(type.printed) ?? [];
  const limits = rules({ atLeast: checks.atLeast });
  const size = precision === undefined ? undefined : `[${precision}, ${scale}]`;
  return call('numericColumn', size ?? (limits === undefined ? undefined : 'undefined'), limits);
}

/** The digits of a second that a time keeps do not matter: PostgreSQL rounds. */
const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['bool', 'booleanColumn'],
  ['bytea', 'bytesColumn'],
  ['date', 'dateColumn'],
  ['json', 'jsonTextColumn'],
  ['jsonb', 'jsonTextColumn'],
  ['name', 'textColumn'],
  ['oid', 'oidColumn'],
  ['time', 'timeColumn'],
  ['timestamp', 'localTimestampColumn'],
  ['timestamptz', 'timestampColumn'],
  ['uuid', 'uuidColumn'],
]);

function builtin(shape: ColumnShape): string | undefined {
  const { type, checks, jsonType } = shape;
  const limits = rules({ atLeast: checks.atLeast });
  switch (type.base) {
    case 'text':
    case 'varchar':
    case 'bpchar':
      return call('textColumn', rules({ max: type.length, isNotBlank: checks.isNotBlank }));
    case 'int2':
      return call('integerColumn', '16', limits);
    case 'int4':
      return call('integerColumn', '32', limits);
    case 'int8':
      return call('bigintColumn', limits);
    case 'float4':
      return call('floatColumn', '32', limits);
    case 'float8':
      return call('floatColumn', '64', limits);
    case 'numeric':
      return numeric(shape);
    case 'bit':
      return call('bitColumn', String(type.length ?? 1));
    case 'varbit':
      return call('bitColumn', type.length === null ? undefined : `{ max: ${type.length} }`);
    default: {
      if (jsonType !== undefined) return `jsonObjectColumn<${jsonType}>()`;
      const name = SIMPLE.get(type.base);
      return name === undefined ? undefined : call(name);
    }
  }
}

function ofExtension(type: ValueType): string | undefined {
  // What is checked in this one is what searchKnowledge compares.
  if (type.printed === 'vector(1536)') return 'embeddingColumn()';
  if (type.base === 'vector') return call('vectorColumn', rules({ dimensions: type.length }));
  if (type.base === 'halfvec') return call('vectorColumn', rules({ dimensions: type.length, isHalf: true }));
  return type.base === 'citext' ? 'textColumn()' : undefined;
}

function element(shape: ColumnShape): Validator {
  const { type } = shape;
  if (type.kind === 'enum') {
    return { call: type.labels.length === 0 ? 'z.never()' : `choiceColumn([${type.labels.map(literal).join(', ')}])` };
  }
  if (type.kind === 'base') {
    const known =
      type.origin === 'pg_catalog' ? builtin(shape) : type.origin === 'extension' ? ofExtension(type) : undefined;
    if (known !== undefined) return { call: known };
  }
  return { call: 'textColumn()', remark: `whether it is ${type.printed} is for the database to say` };
}

/** The validator of a column, whatever its nullability. */
export function validatorOf(shape: ColumnShape): Validator {
  const { type, choices } = shape;
  if (choices !== undefined) {
    if (choices.length === 0) return { call: 'z.never()' };
    const members = choices.map((choice) => (typeof choice === 'number' ? String(choice) : literal(choice)));
    return {
      call: call(typeof choices[0] === 'number' ? 'numberChoiceColumn' : 'choiceColumn', `[${members.join(', ')}]`),
    };
  }
  if (type.isWrittenAsText)
    return { call: 'textColumn()', remark: `whether it is ${type.printed}[] is for the database to say` };
  const one = type.dimensions === 0 ? shape : { ...shape, checks: {} };
  const inner = element(one);
  return {
    ...inner,
    call: `${'arrayColumn('.repeat(type.dimensions)}${inner.call}${')'.repeat(type.dimensions)}`,
  };
}
