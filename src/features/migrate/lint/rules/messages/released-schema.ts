import { SCHEMA_COLUMNS } from '../../../../../schema/columns.js';
import type { ChangeRule, StateFact, StateFault } from '../../rule.js';

interface ColumnFact {
  readonly object: string;
  readonly table_name: string;
  readonly name: string;
  readonly type: string;
  readonly is_not_null: boolean;
  readonly is_required: boolean;
}

function columnsOf(facts: readonly StateFact[]): ReadonlyMap<string, ColumnFact> {
  const columns = facts as unknown as readonly ColumnFact[];
  return new Map(columns.map((column) => [`${column.table_name}.${column.name}`, column]));
}

/** How many characters a type takes; undefined for one of something else. */
function lengthOf(type: string): number | undefined {
  if (type === 'text' || type === 'character varying') return Number.POSITIVE_INFINITY;
  const length = /^character varying\((\d+)\)$/.exec(type)?.[1];
  return length === undefined ? undefined : Number(length);
}

const INTEGERS = ['smallint', 'integer', 'bigint'];

/** Whether every value of the one type is one of the other, and reads alike. */
function isWider(from: string, to: string): boolean {
  const [length, wanted] = [lengthOf(from), lengthOf(to)];
  if (length !== undefined && wanted !== undefined) return wanted >= length;
  const [size, wantedSize] = [INTEGERS.indexOf(from), INTEGERS.indexOf(to)];
  return size >= 0 && wantedSize >= size;
}

function fault({ table_name: table, name }: ColumnFact, message: string, fix: string | null = null): StateFault {
  return { object: `${table}.${name}`, name, table_name: table, message, fix };
}

function gone(before: ColumnFact): StateFault {
  return fault(before, `${before.object} is gone, and services with the released schema read or write it`);
}

function changed(before: ColumnFact, after: ColumnFact): readonly StateFault[] {
  const narrower = before.type === after.type || isWider(before.type, after.type);
  return [
    ...(narrower
      ? []
      : [
          fault(
            before,
            `${before.object} becomes ${after.type} from ${before.type}: services with the released schema may write or expect what it no longer holds`,
          ),
        ]),
    ...(after.is_required && !before.is_required
      ? [
          fault(
            before,
            before.is_not_null
              ? `${before.object} loses its default: services with the released schema insert without it`
              : `${before.object} is required now: services with the released schema may leave it out or write null`,
          ),
        ]
      : []),
  ];
}

function required(after: ColumnFact): readonly StateFault[] {
  if (!after.is_required) return [];
  return [
    fault(
      after,
      `${after.object} is required, and services with the released schema insert without it`,
      `alter table ${after.table_name} add column ${after.name} ${after.type};`,
    ),
  ];
}

/** What the services of the last release know, which run until they are deployed again, meets what the files make of it. */
export const releasedSchema: ChangeRule = {
  kind: 'change',
  id: 'released-schema-breaks',
  severity: 'critical',
  title: 'what services with the released `aisec/schema` read or write is gone, narrower or newly required',
  impact:
    'Services that were built before run on while a deployment lasts, and after it is rolled back. Expand first: add what is new beside the old, without demanding it, and let services write both. Contract later, when no released service uses the old one, with an ignore comment that says since which release.',
  query: 'columns',
  example: {
    needsPlatform: true,
    bad: 'alter table users add column tier text not null;',
    good: "alter table users add column tier text not null default 'basic';",
  },
  compare: (before, after) => {
    const [old, now] = [columnsOf(before), columnsOf(after)];
    const known = Object.entries(SCHEMA_COLUMNS).flatMap(([table, columns]) =>
      columns.map((column) => `${table}.${column}`),
    );
    const tables = new Set([...old.values()].map(({ table_name: table }) => table));
    return [
      ...known.flatMap((key) => {
        const [had, has] = [old.get(key), now.get(key)];
        if (had === undefined) return [];
        return has === undefined ? [gone(had)] : changed(had, has);
      }),
      ...[...now].flatMap(([key, column]) =>
        !old.has(key) && tables.has(column.table_name) && column.table_name in SCHEMA_COLUMNS ? required(column) : [],
      ),
    ];
  },
};
