import type { Direction } from '../../../adapters/migration-engine/engine.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { verificationSql } from '../apply/verification.js';
import { transactionSettings, transactionTexts, type ApplyOptions } from '../apply/apply.js';
import { isKeptWithItsJournal } from '../apply/kept-with-journal.js';
import { sectionOf } from '../apply/section.js';
import type { MigrationFile } from '../files/migration-file.js';
import { isRepeatable, labelOf } from '../files/source.js';
import {
  beginJournal,
  completeJournal,
  forgetApplied,
  historyTables,
  journalDone,
  journalStarted,
} from '../history/history-sql.js';

/**
 * One migration of a script, from the very texts that a run on a database sends, line by line: joined, one of 50 MB would
 * be several times in memory.
 */
export async function migrationPart(
  file: MigrationFile,
  direction: Direction,
  options: ApplyOptions,
): Promise<readonly string[]> {
  const texts = file.isTransactional
    ? await inTransaction(file, direction, options)
    : await withoutTransaction(file, direction, options);
  return [`-- ${labelOf(file)}`, ':start_again', ...texts];
}

/**
 * `migrate up` drops what depends on a changed view or function, and makes it again; a script cannot know what that is on its
 * database, and says so where the server does not replace it in place.
 */
function replacingSql({ up, path }: MigrationFile): string {
  const body = `
declare
  message text;
  detail text;
begin
  execute ${quoteLiteral(up.sql)};
exception
  when dependent_objects_still_exist or invalid_table_definition or invalid_function_definition then
    get stacked diagnostics message = message_text, detail = pg_exception_detail;
    raise exception '%', ${quoteLiteral(`${path}: `)} || message
      using errcode = sqlstate,
            detail = pg_catalog.concat_ws(e'\n', nullif(detail, ''), 'What depends on it has to be made again with it, which a script cannot do.'),
            hint = 'Nothing of this migration was kept. Run "aisec migrate up" on this database: it makes all of them again, with their privileges.';
end
`;
  return `do ${quoteLiteral(body)};`;
}

async function inTransaction(
  file: MigrationFile,
  direction: Direction,
  options: ApplyOptions,
): Promise<readonly string[]> {
  const texts = await transactionTexts(file, direction, options);
  const { sql } = sectionOf(file, direction);
  return isRepeatable(file) && direction === 'up'
    ? texts.map((text) => (text.startsWith(sql) ? replacingSql(file) : text))
    : texts;
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
  const parts = 'error' in parsed ? [{ text: section, node: '' }] : parsed.statements;
  const statements = parts.map(({ text }) => text);
  const state = direction === 'up' ? 'applying' : 'reverting';
  const end = direction === 'up' ? completeJournal(schema, file) : forgetApplied(schema, file);
  const lines = [beginJournal(schema, file, state, statements.length)];
  const historyTable = historyTables(file.source).engine;
  const run = { name: file.name, direction, schema, historyTable, statements, isTransactional: false };
  const checks =
    direction === 'up' && file.verification !== undefined ? await verificationSql(file.verification) : undefined;
  let number = 0;
  await runThroughEngine(run, (sql) => {
    number += 1;
    if (number > statements.length) {
      if (checks !== undefined) lines.push(checks);
      lines.push(`begin;\n${sql}\n${end}\ncommit;`);
    } else {
      const part = parts[number - 1];
      const done = journalDone(schema, file, number, 0);
      lines.push(
        'set lock_timeout = 0;',
        journalStarted(schema, file, number),
        ...(part !== undefined && isKeptWithItsJournal(part) ? ['begin;', sql, done, 'commit;'] : [sql, done]),
      );
    }
    return Promise.resolve();
  });
  return lines;
}

/** A hook of a script: in a transaction, and not recorded. */
export function hookPart(hook: MigrationFile, options: ApplyOptions): readonly string[] {
  return [`-- ${labelOf(hook)}`, ':start_again', 'begin;', transactionSettings(options), hook.up.sql, '', 'commit;'];
}
