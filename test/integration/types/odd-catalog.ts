import pg from 'pg';

import type { Random } from '../../support/chance.js';
import type { ServerDatabase } from '../../support/database.js';

/** Texts of each type to the ends of its range. What is not here gets what its input function takes of `CANDIDATES`. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f'],
  int2: ['-32768', '32767'],
  int4: ['-2147483648', '2147483647'],
  int8: ['-9223372036854775808', '9223372036854775807'],
  oid: ['0', '4294967295'],
  float4: ['NaN', 'Infinity', '-Infinity', '3.4028235e+38', '-1e-45', '-0', '0.1'],
  float8: ['NaN', 'Infinity', '-Infinity', '1.7976931348623157e308', '5e-324', '-0', '0.1', '123456789012345680'],
  numeric: ['NaN', 'Infinity', '-Infinity', '1e131071', `-0.${'0'.repeat(16_382)}1`, '12345678901234567890.10'],
  money: ['-92233720368547758.08', '92233720368547758.07'],
  date: ['infinity', '-infinity', '4714-11-24 BC', '5874897-12-31', '0044-03-15 BC', '2026-03-01', '0099-12-31'],
  time: ['00:00', '24:00:00', '23:59:59.999999'],
  timetz: ['24:00:00-15:59:59', '00:00+15:59:59', '12:30:00.5+00'],
  timestamp: [
    'infinity',
    '-infinity',
    '4714-11-24 00:00 BC',
    '294276-12-31 23:59:59.999999',
    '2026-03-08 02:30',
    '2026-09-27 02:30:00.123456',
  ],
  timestamptz: [
    'infinity',
    '-infinity',
    '4714-11-24 00:00+00 BC',
    '275760-09-12 23:59:59.999+00',
    '0044-03-15 12:00+00 BC',
    '2026-03-08 07:30+00',
    '2026-09-26 14:30:00.123+00',
    '0001-01-01 00:00+00',
    '1800-01-01 00:00:00+04:56:02',
  ],
  interval: ['178000000 years', '-178000000 years', '1 mon -2 days +03:04:05.678901', '-00:00:00.000001'],
  text: ['', ' ', "'", '"', '\\', 'NULL', 'null', '{}', '{"a",b}', 'a,b;c', '日本語', '😀', 'a\nb\u2028c'],
  varchar: ['', 'NULL', '"', 'é'],
  bpchar: ['a', 'a  b'],
  bytea: ['\\x', '\\x00ff', '\\x5c22277b7d2c'],
  json: ['{"a": [1, null]}', 'null', '"x"', '[]', '1e300', '{"__proto__": {"a": 1}}'],
  // In an array, JavaScript's null is SQL's.
  jsonb: ['{"a": [1, null]}', '"x"', '[]', '1e300', '{"__proto__": {"a": 1}}', '"\\""'],
  uuid: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  box: ['(1,2),(3,4)'],
  point: ['(1,NaN)', '(-1e300,Infinity)'],
  circle: ['<(1,2),3>'],
  xml: ['<a b="c">d</a>'],
  int4range: ['empty', '(,)', '[1,5)'],
  tstzrange: ['[2026-01-01 00:00+00,infinity)'],
  int4multirange: ['{}', '{[1,2),[5,9)}'],
  bit: ['0', '1'],
  varbit: ['', '0101'],
  tsvector: ["'a':1A 'it''s':2"],
  vector: ['[1,-0.5,3e38]'],
  halfvec: ['[1,-65504,6e-08]'],
  sparsevec: ['{1:1.5,3:-2}/5'],
  hstore: ['"a"=>"1", "b"=>NULL'],
  mood: ['happy', "it's", 'so "so"', 'back\\slash', 'NULL', ''],
  mood_domain: ['happy', "it's"],
  short_text: ['abcdefgh', ''],
  one_to_three: ['1', '3'],
  numbers: ['{1,2}', '{}', '{NULL,-3}'],
  pair: ['(1,"x ""y"" (z)")', '(,)'],
  floats: ['[0.1,0.2)', 'empty'],
  floats_multirange: ['{[0.1,0.2)}'],
};

const CANDIDATES = ['1', 'a', 'pg_type', 'int4', '1 2', '(0,0)', '(1,2)', '0/0', '10.0.0.0/8', 'now', 'english', '1:1:', 'pg_catalog', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '[(0,0),(1,1)]', '((0,0),(1,1))', '{1,2,3}', '$.a', '2026-01-01', 'empty', '{}', 'postgres=r/postgres', '+', 'now()', 'simple']; // prettier-ignore

/** Names that collide, are words of SQL, TypeScript or JavaScript, or hold what has to be quoted. */
export const ODD_NAMES = [
  'user',
  'users',
  'User',
  'USERS',
  'new_user',
  'user_update',
  'users_table',
  'class',
  'constructor',
  '__proto__',
  'toString',
  'date',
  'Date',
  'array',
  'db',
  'DB',
  'select',
  '日本語',
  '表 一',
  'a"b',
  "it's",
  'back\\slash',
  'tick`',
  '${x}',
  '*/',
  '1st',
  '_',
  '-',
  'é',
  'É',
  '😀',
  'generated',
  'json_text',
  'line\nbreak',
  'string',
  'a.b',
  'z',
];

export interface OddTable {
  readonly schema: string;
  readonly name: string;
  /** As SQL names the type. */
  readonly type: string;
  readonly base: string;
  readonly value: string;
  readonly array: string;
  readonly rows: number;
}

export const ODD_SCHEMA = 'Odd 一';

const TYPES = `
  create type mood as enum ('happy', 'it''s', 'so "so"', E'back\\\\slash', 'NULL', '');
  create domain mood_domain as mood check (value in ('happy', 'it''s'));
  create domain short_text as varchar(8);
  create domain one_to_three as integer not null default 1 check (value in (1, 2, 3));
  create domain numbers as integer[];
  create type pair as (a integer, "b c" text);
  create type floats as range (subtype = float8, multirange_type_name = floats_multirange);`;

/** What every server has, what was made above, and what extensions brought. */
const ALL_TYPES = `
  select format('%I.%I', nspname, typname) as type, typname as base, typnotnull as is_required, typarray <> 0 as has_array
  from pg_type join pg_namespace as namespace on namespace.oid = typnamespace
  left join pg_class as class on class.oid = typrelid
  where typtype in ('b', 'e', 'd', 'r', 'm', 'c') and coalesce(relkind, 'c') = 'c' and nspname not in ('information_schema', 'pg_toast')
    and nspname !~ '^pg_temp' and not exists (select from pg_type as element where element.typarray = pg_type.oid)
  order by 1`;

interface FoundType {
  readonly type: string;
  readonly base: string;
  readonly is_required: boolean;
  readonly has_array: boolean;
}

async function valuesOf({ type, base }: FoundType, database: ServerDatabase): Promise<readonly string[]> {
  const known = ENDS[base];
  if (known !== undefined) return known;
  // A type without an input function of its own refuses whatever it is asked.
  const { rows } = await database.admin
    .query('select text from unnest($1::text[]) as text where pg_input_is_valid(text, $2)', [CANDIDATES, type])
    .catch(() => ({ rows: [] }));
  return (rows as { text: string }[]).map(({ text }) => text);
}

/** A table for every type there is, in two schemas, with a column of it and of its array, and rows to the ends of the range. */
export async function makeOddCatalog(database: ServerDatabase, random: Random): Promise<readonly OddTable[]> {
  const { admin } = database;
  const quote = pg.escapeIdentifier;
  const available = await admin.query(
    `select name from pg_available_extensions where name in ('hstore', 'citext', 'ltree') order by name`,
  );
  for (const { name } of available.rows as { name: string }[]) await admin.query(`create extension ${quote(name)}`);
  await admin.query(
    `${TYPES}; create schema ${quote(ODD_SCHEMA)}; grant usage on schema ${quote(ODD_SCHEMA)} to authenticated`,
  );
  const { rows: types } = await admin.query(ALL_TYPES);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;

  const tables: OddTable[] = [];
  for (const [index, found] of (types as FoundType[]).entries()) {
    const odd = ODD_NAMES[index % ODD_NAMES.length] as string;
    const turn = Math.floor(index / ODD_NAMES.length);
    const schema = turn === 1 ? ODD_SCHEMA : 'public';
    // The platform has its own users.
    const name = turn < 2 && !(schema === 'public' && odd === 'users') ? odd : `${odd} ${turn}`;
    const value = pick(ODD_NAMES);
    const array = pick(ODD_NAMES.filter((other) => other !== value));
    const [table, one, many] = [`${quote(schema)}.${quote(name)}`, quote(value), quote(array)];
    const arrayType = found.has_array ? `${found.type}[]` : 'text[]';
    const values = await valuesOf(found, database);
    const cast = (text: string): string => `${pg.escapeLiteral(text)}::${found.type}`;
    const rows = values.map((text, row) => {
      const elements = [cast(text), ...(found.is_required ? [] : ['null']), cast(pick(values))];
      return `(${row + 1}, ${cast(text)}, ${found.has_array ? `array[${elements.join(', ')}]::${arrayType}` : "'{}'"})`;
    });
    await admin.query(
      `create table ${table} (id integer primary key, ${one} ${found.type}, ${many} ${arrayType});
       grant select, insert on ${table} to authenticated;
       ${rows.length > 0 ? `insert into ${table} values ${rows.join(', ')}` : ''}`,
    );
    tables.push({ schema, name, type: found.type, base: found.base, value, array, rows: rows.length });
  }
  return tables;
}
