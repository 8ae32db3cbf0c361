import { expect, test } from 'vitest';

import { isConcurrent } from '../../../../src/adapters/sql-parser/concurrent.js';
import { parseStatements } from '../../../../src/adapters/sql-parser/statements.js';
import { mayBreakRules, transactionProblems } from '../../../../src/features/migrate/files/transaction-control.js';
import { chance, rounds } from '../../../support/chance.js';
import { lintFile } from '../../../support/lint.js';

const problems = async (sql: string): Promise<number> =>
  (await transactionProblems(lintFile('0001_text', sql), 'every statement')).length;

test.each([
  'commit',
  'select 1;commit;',
  'select 1; /* here: */ COMMIT',
  'select 1; --\n\t end',
  'select 1;\rrollback',
  "select ';' ; /**/ \f\v\tSeT timezone to default",
  "select 'é日本🎉'; begin",
  'drop index concurrently x',
  'copy t from stdin',
])('%j is found by the parser, which is not left out', async (sql) => {
  expect(mayBreakRules(sql)).toBe(true);
  expect(await problems(sql)).toBe(1);
});

test.each([
  "create table begun (id int, ended text default 'commit', constraint c check (ended <> 'x'));",
  'alter table t alter column c set not null;',
  'create table t (a int references b on delete set null);',
  'comment on table t is $$it may begin; or end$$;',
])('%j needs no parser', (sql) => {
  expect(mayBreakRules(sql)).toBe(false);
});

const PARTS = [
  'commit',
  'BEGIN',
  'end',
  'rollback',
  'start transaction',
  'savepoint s',
  'release savepoint s',
  "set timezone = 'UTC'",
  'reset all',
  'vacuum',
  'copy t from stdin',
  'prepare transaction $$x$$',
  'abort',
  'select 1',
  "select 'a;\n commit'",
  'select $x$ ; begin $x$',
  'create index concurrently i on t (c)',
  'alter table t alter column c set not null',
];
const BETWEEN = [';', ' ; ', ';\n', ';-- note\n', ';/* ; */', ';\r\n\t', '; /* a /* b */ */ ', ';\f', ';\u000b'];

const OBJECTED = new Set(['TransactionStmt', 'VariableSetStmt', 'VacuumStmt', 'CopyStmt']);

/** What the parser itself finds in a text. */
async function isObjectionable(sql: string): Promise<boolean> {
  const parsed = await parseStatements(sql);
  if ('error' in parsed) throw new Error(`${parsed.error.message}: ${JSON.stringify(sql)}`);
  return parsed.statements.some((statement) => OBJECTED.has(statement.node) || isConcurrent(statement));
}

test('whatever the parser objects to is never left out, in texts by chance', async () => {
  const next = chance();
  const one = (list: readonly string[]): string => list[Math.floor(next() * list.length)] ?? '';
  let found = 0;
  for (let round = 0; round < rounds(400, 20_000); round += 1) {
    const sql = Array.from({ length: 1 + Math.floor(next() * 4) }, () => `${one(PARTS)}${one(BETWEEN)}`).join('');
    if (!(await isObjectionable(sql))) continue;
    found += 1;
    expect(mayBreakRules(sql), JSON.stringify(sql)).toBe(true);
  }
  expect(found).toBeGreaterThan(100);
});
