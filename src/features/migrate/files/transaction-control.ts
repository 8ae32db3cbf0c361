import { isConcurrent } from '../../../adapters/sql-parser/concurrent.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import type { FileProblem, MigrationFile, MigrationSection } from './migration-file.js';
import { placeInSection } from './place.js';

/** Function bodies, texts and comments, where these words mean something else. */
const BODY_OR_COMMENT = /\be'(?:[^'\\]|\\.|'')*'|'[^']*'|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|\*\//gi;
/**
 * How a statement begins that may break the rules below. Only a file with one is parsed: the parser takes 60 ms to
 * load, and no bundled migration needs it.
 */
const SUSPICIOUS =
  /(?:^|;)\s*(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set\s+(?!local\b|constraints\b)|reset|discard|vacuum)\b|\bconcurrently\b/i;

function problemOf({ node, tree }: Statement, isTransactional: boolean): string | undefined {
  if (node === 'TransactionStmt')
    return 'transaction control does not belong in a migration; the runner begins and commits';
  if (node === 'VariableSetStmt' && tree['is_local'] !== true)
    return 'a SET would stay on for the migrations after this one; use SET LOCAL';
  const isVacuum = node === 'VacuumStmt' && tree['is_vacuumcmd'] === true;
  if (isTransactional && (isVacuum || isConcurrent({ node, tree }))) {
    return 'this cannot run inside a transaction; put "-- aisec: no-transaction" before the Up marker';
  }
  return undefined;
}

async function sectionProblems(file: MigrationFile, section: MigrationSection): Promise<readonly FileProblem[]> {
  if (!SUSPICIOUS.test(section.sql.replaceAll(BODY_OR_COMMENT, ' '))) return [];
  const { parseStatements } = await import('../../../adapters/sql-parser/statements.js');
  const parsed = await parseStatements(section.sql);
  if ('error' in parsed)
    return [{ ...placeInSection(file, section, parsed.error.offset), message: parsed.error.message }];
  return parsed.statements.flatMap((statement) => {
    const message = problemOf(statement, file.isTransactional);
    return message === undefined ? [] : [{ ...placeInSection(file, section, statement.offset), message }];
  });
}

/** Statements that would break out of the transaction a migration runs in, or cannot run inside one. */
export async function transactionProblems(file: MigrationFile): Promise<readonly FileProblem[]> {
  const down = file.down === undefined ? [] : await sectionProblems(file, file.down);
  return [...(await sectionProblems(file, file.up)), ...down];
}
