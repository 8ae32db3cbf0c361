import { expect, test } from 'vitest';

import { piecesOf } from '../../../src/adapters/sql-parser/pieces.js';
import { parseStatements, type Statement } from '../../../src/adapters/sql-parser/statements.js';
import { chance, rounds } from '../../support/chance.js';

const STATEMENTS = [
  "insert into t values (1, 'a;\n b''c')",
  String.raw`insert into t (a) values (E'it\'s; \\', e'x''y\\')`,
  'INSERT INTO "a;b" ("c""d;") select $x$ ; \' $x$ || $$;$$',
  "/* ' ; /* \" */ ; */ insert into t values ('日本🎉;')",
  '-- it\'s; "\n  insert into t default values',
  'create function f() returns int language sql begin atomic select case 1 when 2 then 3 end; select 1; end',
  'create or replace procedure p() begin atomic insert into t values (1); insert into t values (2); end',
  'create function g(a int default (1)) returns int language plpgsql as $f$ begin return $1; end; $f$',
  'create rule r as on insert to t do also (insert into t values (2); delete from t)',
  "with n as (select 1) insert into t select * from n where a$b = 'x;'",
  'select a->1, b#>>c from t where x-1 > -- ;\n 2',
  "create table e$1 (c text check (c <> '\"'), d int) /**/",
  "select U&'d\\0061t;', B'1', N'n;', x.end from begin, x where \"e\" = 'e'",
  'alter table t add "end;" int',
];
const BETWEEN = [';', ' ; ', ';\n', ';\r\n', ';-- insert;\n', ';/*;*/', ';;'];

const plain = ({ text, offset, node }: Statement) => ({ text, offset, node });

test('a large text is cut between statements, wherever semicolons stand in it', async () => {
  const random = chance();
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? '';
  for (let round = 0; round < rounds(60, 400); round += 1) {
    let sql = '';
    const count = 1 + Math.floor(random() * 12);
    for (let number = 0; number < count; number += 1) sql += pick(STATEMENTS) + pick(BETWEEN);
    const pieces = piecesOf(sql, 1 + Math.floor(random() * 200));
    expect(pieces.map(({ text }) => text).join('')).toBe(sql);
    const found = [];
    for (const piece of pieces) {
      const parsed = await parseStatements(piece.text, piece.offset);
      if ('error' in parsed) throw new Error(`${parsed.error.message} in ${JSON.stringify(piece.text)}`);
      const inserts = parsed.statements.filter(
        ({ node, text }) => node === 'InsertStmt' && /^insert/i.test(text),
      ).length;
      if (pieces.length > 1)
        expect([piece.text, piece.inserts]).toEqual([piece.text, inserts === 0 ? undefined : inserts]);
      found.push(...parsed.statements.map(plain));
    }
    const whole = await parseStatements(sql);
    expect(found).toEqual('statements' in whole ? whole.statements.map(plain) : whole);
  }
});

test('a text without an end of a string or a comment is one piece to its end', () => {
  for (const open of ["select ';", 'select ";', 'select $a$;', '/* ; ', String.raw`select e'\';`]) {
    const sql = `select 1; ${open} select 2;`;
    expect(piecesOf(sql, 10).map(({ text }) => text)).toEqual(['select 1;', ` ${open} select 2;`]);
  }
});
