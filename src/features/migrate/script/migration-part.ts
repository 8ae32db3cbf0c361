import type { Direction } from '../../../adapters/migration-engine/engine.js';
import { sectionOf, transactionSettings, transactionTexts, type ApplyOptions } from '../apply/apply.js';
import type { MigrationFile } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';
import {
  beginJournal,
  completeJournal,
  forgetApplied,
  historyTables,
  journalDone,
  journalStarted,
} from '../history/history-sql.js';

/** One migration of a script, from the very texts that a run on a database sends. */
export async function migrationPart(file: MigrationFile, direction: Direction, options: ApplyOptions): Promise<string> {
  const lines = [`-- ${labelOf(file)}`, ':start_again'];
  lines.push(
    ...(file.isTransactional
      ? await transactionTexts(file, direction, options)
      : await withoutTransaction(file, direction, options)),
  );
  return lines.join('\n');
}

async function withoutTransaction(
  file: MigrationFile,
  direction: Direction,
  { schema }: ApplyOptions,
): Promise<readonly string[]> {
  const [{ runThroughEngine }, { parseStatements }] = await Promise.all([
    import('../../../adapters/migration-engine/engine.js'),
    import('../../../adapters/sql-parser/statements.js'),
  ]);
  const { sql: section } = sectionOf(file, direction);
  const parsed = await parseStatements(section);
  const statements = 'error' in parsed ? [section] : parsed.statements.map((statement) => statement.text);
  const state = direction === 'up' ? 'applying' : 'reverting';
  const end = direction === 'up' ? completeJournal(schema, file) : forgetApplied(schema, file);
  const lines = [beginJournal(schema, file, state, statements.length)];
  const historyTable = historyTables(file.source).engine;
  const run = { name: file.name, direction, schema, historyTable, statements, isTransactional: false };
  let number = 0;
  await runThroughEngine(run, (sql) => {
    number += 1;
    if (number > statements.length) lines.push(`begin;\n${sql}\n${end}\ncommit;`);
    else
      lines.push(
        'set lock_timeout = 0;',
        journalStarted(schema, file, number),
        sql,
        journalDone(schema, file, number, 0),
      );
    return Promise.resolve();
  });
  return lines;
}

/** A hook of a script: in a transaction, and not recorded. */
export function hookPart(hook: MigrationFile, options: ApplyOptions): string {
  return [
    `-- ${labelOf(hook)}`,
    ':start_again',
    'begin;',
    transactionSettings(options),
    hook.up.sql,
    '',
    'commit;',
  ].join('\n');
}
