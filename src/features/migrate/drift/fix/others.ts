import type {
  CatalogExtra,
  CatalogIndex,
  CatalogSequence,
  CatalogType,
  CatalogView,
} from '../../../../adapters/catalog/catalog.js';
import { literal, name, type FixNames } from './names.js';

export function createView({ name: viewName, kind, definition, options }: CatalogView): string {
  const body = definition.replace(/;\s*$/, '');
  const withOptions = options.length === 0 ? '' : ` with (${options.join(', ')})`;
  const create = kind === 'view' ? 'create or replace view' : 'create materialized view';
  return `${create} ${name(viewName)}${withOptions} as\n${body}`;
}

export function dropView({ name: viewName, kind }: CatalogView): string {
  return `drop ${kind} ${name(viewName)}`;
}

export function createSequence(sequence: CatalogSequence): readonly string[] {
  const { type, start, increment, minimum, maximum, cache, cycle, table, column } = sequence;
  const owned =
    table === null || column === null
      ? []
      : [`alter sequence ${name(sequence.name)} owned by ${name(table)}.${name(column)}`];
  return [
    `create sequence ${name(sequence.name)} as ${type} increment ${increment} minvalue ${minimum} maxvalue ${maximum} start ${start} cache ${cache}${cycle ? ' cycle' : ''}`,
    ...owned,
  ];
}

export function alterSequence(sequence: CatalogSequence): string {
  const { type, start, increment, minimum, maximum, cache, cycle } = sequence;
  return `alter sequence ${name(sequence.name)} as ${type} increment ${increment} minvalue ${minimum} maxvalue ${maximum} start ${start} cache ${cache}${cycle ? ' cycle' : ' no cycle'}`;
}

/** Null for a range or a base type. */
export function createType({ name: typeName, kind, definition }: CatalogType): string | null {
  switch (kind) {
    case 'enum':
      return `create type ${name(typeName)} as enum (${definition.map(literal).join(', ')})`;
    case 'composite type':
      return `create type ${name(typeName)} as (${definition.map(attribute).join(', ')})`;
    case 'domain': {
      const [base = '', ...rest] = definition;
      const clauses = rest.map((part) => (/^(?:not null$|default )/.test(part) ? part : `constraint ${part}`));
      return [`create domain ${name(typeName)} as ${base}`, ...clauses].join(' ');
    }
    case 'range':
    case 'base type':
      return null;
  }
}

function attribute(text: string): string {
  const at = text.indexOf(' ');
  return `${name(text.slice(0, at))}${text.slice(at)}`;
}

/** Values that the enum of the database lacks can be added; others cannot be taken away. */
export function addEnumValues(before: CatalogType, after: CatalogType): readonly string[] | null {
  if (before.kind !== 'enum' || after.kind !== 'enum') return null;
  if (!before.definition.every((value) => after.definition.includes(value))) return null;
  return after.definition.flatMap((value, index) => {
    if (before.definition.includes(value)) return [];
    const next = after.definition.slice(index + 1).find((other) => before.definition.includes(other));
    return [
      `alter type ${name(after.name)} add value ${literal(value)}${next === undefined ? '' : ` before ${literal(next)}`}`,
    ];
  });
}

export function createExtra({ kind, name: extraName, table, definition }: CatalogExtra): string {
  if (kind === 'rule') return definition.replace(/;\s*$/, '');
  const [, kinds = '', columns = ''] = /^(\w+) on ([\s\S]*)$/.exec(definition) ?? [];
  const words = { d: 'ndistinct', f: 'dependencies', m: 'mcv', e: '' } as const;
  const named = kinds
    .split('')
    .map((letter) => words[letter as keyof typeof words])
    .filter((word) => word !== '');
  return `create statistics ${name(extraName)}${named.length === 0 ? '' : ` (${named.join(', ')})`} on ${columns} from ${name(table)}`;
}

export function dropExtra({ kind, name: extraName, table }: CatalogExtra): string {
  return kind === 'rule' ? `drop rule ${name(extraName)} on ${name(table)}` : `drop statistics ${name(extraName)}`;
}

/** The index beside writers, where the table has no partitions. */
export function createIndex({ definition }: CatalogIndex, isPartitioned: boolean): string {
  if (isPartitioned) return definition.replace(/ ON ONLY /, ' ON ');
  return definition.replace(/^(CREATE (?:UNIQUE )?INDEX) /, '$1 concurrently ');
}

export function dropIndex({ name: indexName }: CatalogIndex, isPartitioned: boolean): string {
  return `drop index ${isPartitioned ? '' : 'concurrently '}${name(indexName)}`;
}

export function createExtension(extension: string, { extensionSchema }: FixNames): string {
  return `create extension if not exists ${name(extension)} with schema ${name(extensionSchema)}`;
}
