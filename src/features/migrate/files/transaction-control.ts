import { isConcurrent } from '../../../adapters/sql-parser/concurrent.js';
import { PIECE_CHARACTERS, piecesOf, type Piece } from '../../../adapters/sql-parser/pieces.js';
import type { Statement } from '../../../adapters/sql-parser/statements.js';
import { isExaminedAtBuild } from './examined-at-build.js';
import { placeInSection, type FileProblem, type MigrationFile, type MigrationSection } from './migration-file.js';

/** Function bodies, texts and comments, where these words mean something else. A guess: see `mayBreakRules` for no guess. */
const BODY_OR_COMMENT = /\be'(?:[^'\\]|\\.|'')*'|'[^']*'|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|\*\//gi;
/**
 * How a statement begins that may break the rules below. Only a file with one is parsed: the parser takes 60 ms to
 * load, and no bundled migration needs it.
 */
const SUSPICIOUS =
  /(?:^|;)\s*(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set\s+(?!local\b|constraints\b)|reset|discard|vacuum|copy)\b|\bconcurrently\b/i;

/** The rows of a dump stand behind the statement, and no driver sends them along with it. */
const COPY_BEFORE = /\bcopy\b[^;]*\bfrom\s+stdin\b/i;
const COPY_FROM_STDIN = 'COPY ... FROM STDIN gets no data in a migration; use INSERT, or a file of `aisec seed`';

type Depth = 'suspicious' | 'every statement';

/** What begins a statement that breaks a rule below; PostgreSQL has no other way to write a keyword. */
const FIRST_WORD = /abort|begin|commit|end|prepare|release|rollback|savepoint|start|set|reset|vacuum|copy/gi;
const BLANKS = ' \t\f\v';
/** What can stand before the first word of a statement: a semicolon, the end of a comment, that of a line. */
const BEFORE_STATEMENT = ';/\n\r';

/**
 * Whether a text may hold a statement that breaks a rule below. False only where the parser would find none, so that it
 * need not be loaded, which takes 60 ms: what stands in strings, bodies and comments counts here, too.
 */
export function mayBreakRules(sql: string): boolean {
  if (/concurrently/i.test(sql)) return true;
  for (const { index } of sql.matchAll(FIRST_WORD)) {
    let before = index - 1;
    while (before >= 0 && BLANKS.includes(sql.charAt(before))) before -= 1;
    if (before < 0 || BEFORE_STATEMENT.includes(sql.charAt(before))) return true;
  }
  return false;
}

/** Sections that the parser has read and found nothing wrong in. */
const examined = new WeakSet<MigrationSection>();

/** `set transaction isolation level ...`, and `reset role` after a `set local role`. */
function endsWithTheTransaction(tree: Statement['tree']): boolean {
  return tree['kind'] === 'VAR_RESET' || (tree['kind'] === 'VAR_SET_MULTI' && tree['name'] === 'TRANSACTION');
}

function problemOf({ node, tree }: Statement, isTransactional: boolean): string | undefined {
  if (node === 'CopyStmt' && tree['is_from'] === true && tree['filename'] === undefined && tree['is_program'] !== true)
    return COPY_FROM_STDIN;
  if (node === 'TransactionStmt')
    return 'transaction control does not belong in a migration; the runner begins and commits';
  if (node === 'VariableSetStmt' && tree['is_local'] !== true && !endsWithTheTransaction(tree))
    return 'a SET would stay on for the migrations after this one; use SET LOCAL';
  const isVacuum = node === 'VacuumStmt' && tree['is_vacuumcmd'] === true;
  if (isTransactional && (isVacuum || isConcurrent({ node, tree }))) {
    return 'this cannot run inside a transaction; put "-- aisec: no-transaction" before the Up marker';
  }
  return undefined;
}

async function pieceProblems(
  file: MigrationFile,
  section: MigrationSection,
  piece: Piece,
): Promise<readonly FileProblem[]> {
  const { parseStatements } = await import('../../../adapters/sql-parser/statements.js');
  const parsed = await parseStatements(piece.text, piece.offset);
  if ('error' in parsed) {
    const { offset, message } = parsed.error;
    const isCopy = COPY_BEFORE.test(section.sql.slice(piece.offset, offset));
    return [{ ...placeInSection(file, section, offset), message: isCopy ? COPY_FROM_STDIN : message }];
  }
  return parsed.statements.flatMap((statement) => {
    const message = problemOf(statement, file.isTransactional);
    return message === undefined ? [] : [{ ...placeInSection(file, section, statement.offset), message }];
  });
}

async function sectionProblems(
  file: MigrationFile,
  section: MigrationSection,
  depth: Depth,
): Promise<readonly FileProblem[]> {
  if (examined.has(section)) return [];
  const problems: FileProblem[] = [];
  let isWholeParsed = true;
  for (const piece of piecesOf(section.sql)) {
    // One INSERT of many megabytes is nothing else, and parsing it takes 40 times its size.
    if (piece.inserts === 1 && piece.text.length > PIECE_CHARACTERS) continue;
    const isSuspected = depth !== 'suspicious' || SUSPICIOUS.test(piece.text.replaceAll(BODY_OR_COMMENT, ' '));
    const found = isSuspected && mayBreakRules(piece.text) ? await pieceProblems(file, section, piece) : undefined;
    problems.push(...(found ?? []));
    isWholeParsed &&= found !== undefined;
  }
  if (isWholeParsed && problems.length === 0) examined.add(section);
  return problems;
}

/** Statements that would break out of the transaction a migration runs in, or cannot run inside one. */
export async function transactionProblems(
  file: MigrationFile,
  depth: Depth = 'suspicious',
): Promise<readonly FileProblem[]> {
  if (isExaminedAtBuild(file)) return [];
  const down = file.down === undefined ? [] : await sectionProblems(file, file.down, depth);
  return [...(await sectionProblems(file, file.up, depth)), ...down];
}
