import { tableKey, type Reference, type TableKey } from '../../../adapters/catalog/references/reference.js';
import type { Finding } from '../../../base/finding.js';
import { nameInSql, quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { declaredClass, isPiiClass, PII_CLASSES, type PiiClass } from '../classes.js';
import type { Column } from './columns.js';

/** Values of these say nothing of a person by themselves: numbers, times, identifiers, truth values, fixed lists. */
const PLAIN_CATEGORIES = new Set(['B', 'D', 'N', 'T', 'E', 'R']);
const PLAIN_TYPES = new Set(['uuid', 'char', 'xid', 'tid', 'pg_lsn', 'regclass']);
const TEXTS = new Set(['text', 'varchar', 'bpchar', 'citext', 'name']);

/** A class that fits only some types; any other fits text alone. */
const TYPES_OF: Partial<Record<PiiClass, ReadonlySet<string>>> = {
  json: new Set(['json', 'jsonb']),
  embedding: new Set(['vector', 'halfvec']),
  ip: new Set([...TEXTS, 'inet']),
  token: new Set([...TEXTS, 'bytea']),
};

export interface ClassedColumn extends Column {
  readonly piiClass: PiiClass;
}

function needsClass({ base, category }: Column): boolean {
  return !PLAIN_TYPES.has(base) && !PLAIN_CATEGORIES.has(category);
}

function nameOf({ schema, table, column }: Column): string {
  return [schema, table, column].map(nameInSql).join('.');
}

function fits({ base, is_nullable: isNullable, is_array: isArray }: Column, piiClass: PiiClass): boolean {
  if (piiClass === 'none') return true;
  if (piiClass === 'null') return isNullable;
  if (isArray && (piiClass === 'embedding' || piiClass === 'json')) return false;
  return (TYPES_OF[piiClass] ?? TEXTS).has(base);
}

/** What a class would most likely be, by type alone. */
function likelyClass({ base }: Column): PiiClass {
  if (TEXTS.has(base)) return 'text';
  const found = PII_CLASSES.find((piiClass) => TYPES_OF[piiClass]?.has(base) === true);
  return found ?? 'null';
}

function statement(column: Column, piiClass: PiiClass): string {
  const before = (column.comment ?? '').replace(/\s*\(?pii:\s*[\w-]+\)?/i, '').trim();
  const comment = `${before}${before === '' ? '' : ' '}pii: ${piiClass}`;
  const name = [column.schema, column.table, column.column].map(quoteIdentifier).join('.');
  return `comment on column ${name} is ${quoteLiteral(comment)};`;
}

function finding(column: Column, message: string, fix: string | null): Finding {
  return {
    id: `subset-class:${nameOf(column)}`,
    severity: 'critical',
    object: nameOf(column),
    message,
    impact: `what is in it cannot be masked; the classes are ${PII_CLASSES.join(', ')}`,
    fix,
  };
}

function check(column: Column): Finding | undefined {
  const declared = declaredClass(column.comment);
  if (declared === undefined) {
    if (!needsClass(column)) return undefined;
    const message = `column ${nameOf(column)} (${column.type}) has no class of personal data`;
    return finding(column, message, statement(column, likelyClass(column)));
  }
  if (!isPiiClass(declared))
    return finding(
      column,
      `invalid class "${declared}" of column ${nameOf(column)}`,
      statement(column, likelyClass(column)),
    );
  if (fits(column, declared)) return undefined;
  return finding(column, `class ${declared} does not fit column ${nameOf(column)} of type ${column.type}`, null);
}

/** The columns with their classes. What cannot be masked is a finding. */
export function classify(columns: readonly Column[]): {
  readonly columns: readonly ClassedColumn[];
  readonly findings: readonly Finding[];
} {
  const findings = columns.filter(({ is_generated }) => !is_generated).flatMap((column) => check(column) ?? []);
  const classed = columns.map((column): ClassedColumn => {
    const declared = declaredClass(column.comment) ?? 'none';
    return { ...column, piiClass: isPiiClass(declared) ? declared : 'none' };
  });
  return { columns: classed, findings };
}

/** Columns of a reference that are masked in different ways: no row would find the one that it refers to. */
export function unequalReferences(
  references: readonly Reference[],
  columnsOf: ReadonlyMap<TableKey, readonly ClassedColumn[]>,
): readonly Finding[] {
  const find = (key: TableKey, name: string | undefined): ClassedColumn | undefined =>
    columnsOf.get(key)?.find(({ column }) => column === name);
  return references.flatMap((reference) =>
    reference.columns.flatMap((name, index): Finding | [] => {
      const own = find(tableKey(reference), name);
      const referred = find(tableKey(reference.refersTo), reference.refersTo.columns[index]);
      if (own === undefined || referred === undefined) return [];
      // Without a value it refers to nothing.
      if (own.piiClass === 'null' || own.piiClass === referred.piiClass) return [];
      return {
        id: `subset-reference:${nameOf(own)}`,
        severity: 'critical',
        object: nameOf(own),
        message: `column ${nameOf(own)} has class ${own.piiClass}, and ${nameOf(referred)}, which it refers to, has class ${referred.piiClass}`,
        impact: 'masked in different ways, no row would find the one that it refers to',
        fix: fits(own, referred.piiClass) ? statement(own, referred.piiClass) : null,
      };
    }),
  );
}
