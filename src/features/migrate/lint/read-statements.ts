import { blockParts, hasUnknownName, type BlockPart } from '../../../adapters/sql-parser/blocks.js';
import { as, statementOf } from '../../../adapters/sql-parser/nodes.js';
import { piecesOf, type Piece } from '../../../adapters/sql-parser/pieces.js';
import { parseStatements, type Statement } from '../../../adapters/sql-parser/statements.js';
import { placeInSection, type MigrationFile } from '../files/migration-file.js';
import { UNREAD_NODE, type LintedStatement, type Region } from './rule.js';

/** A place that no rule has looked at, and why. */
export interface NotAnalysed {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

/** A statement with those in its DO block. */
export interface TopStatement {
  readonly statement: LintedStatement;
  readonly nested: readonly LintedStatement[];
}

export interface ReadFile {
  readonly file: MigrationFile;
  readonly statements: readonly TopStatement[];
  readonly notAnalysed: readonly NotAnalysed[];
}

/** Lines and columns count characters as people do: an emoji is one. */
function pointAt(file: MigrationFile, offset: number): { readonly line: number; readonly column: number } {
  const { line, column, excerpt } = placeInSection(file, file.up, offset);
  return { line, column: Array.from(excerpt.slice(0, column - 1)).length + 1 };
}

function regionOf(file: MigrationFile, offset: number, length: number): Region {
  const start = pointAt(file, offset);
  const end = pointAt(file, offset + length);
  return { ...start, endLine: end.line, endColumn: end.column };
}

function linted(file: MigrationFile, statement: Statement, isNested: boolean): LintedStatement {
  const { offset, text } = statement;
  const length = isNested && !file.up.sql.startsWith(text, offset) ? 0 : text.length;
  return { ...statement, file, isNested, region: regionOf(file, offset, length) };
}

/** They are judged by the table that they name. */
const NEED_TABLE = new Set([
  'AlterTableStmt',
  'DeleteStmt',
  'DropStmt',
  'IndexStmt',
  'RenameStmt',
  'TruncateStmt',
  'UpdateStmt',
]);

/** Why a part of a block cannot be looked at; undefined for one that can. */
function unknownPart(part: BlockPart): { readonly offset: number; readonly reason: string | undefined } {
  if (part.kind === 'unknown') return part;
  const { node, text, offset } = part.statement;
  const isUnknown = NEED_TABLE.has(node) && hasUnknownName(text);
  return { offset, reason: isUnknown ? 'EXECUTE with a name that is made when it runs' : undefined };
}

async function readBlock(
  file: MigrationFile,
  block: Statement,
): Promise<{ readonly nested: readonly LintedStatement[]; readonly notAnalysed: readonly NotAnalysed[] }> {
  const nested: LintedStatement[] = [];
  const notAnalysed: NotAnalysed[] = [];
  for (const part of await blockParts(block)) {
    const { offset, reason } = unknownPart(part);
    if (reason !== undefined) notAnalysed.push({ file: file.path, ...pointAt(file, block.offset + offset), reason });
    else if (part.kind === 'statement')
      nested.push(linted(file, { ...part.statement, offset: block.offset + part.statement.offset }, true));
  }
  return { nested, notAnalysed };
}

/** MERGE PARTITIONS and SPLIT PARTITION are of PostgreSQL 19, and the parser is that of 18. */
const OF_19 = /\balter\s+table\s+[^;]*?\b(?:merge\s+partitions|split\s+partition)\b[^;]*/i;
const NEWER = 'MERGE and SPLIT of partitions are of PostgreSQL 19, which the parser of PostgreSQL 18 cannot read';
const MOST_UNREAD = 100;

interface Parsed {
  readonly statements: readonly Statement[];
  readonly error: { readonly message: string; readonly offset: number } | undefined;
}

/**
 * Parses a text; what is of a newer PostgreSQL where the parser stops is set aside, and blanks stand in its place for the
 * parser. A string with a semicolon in it ends that too early: then the parser stops again, and the text is not analysed.
 */
async function parseWhatCanBe({ text: whole, offset: before }: Piece): Promise<Parsed> {
  const unread: Statement[] = [];
  let text = whole;
  for (;;) {
    const parsed = await parseStatements(text, before);
    if (!('error' in parsed))
      return {
        statements: [...parsed.statements, ...unread].toSorted((a, b) => a.offset - b.offset),
        error: undefined,
      };
    const offset = parsed.error.offset - before;
    const found = OF_19.exec(text);
    const end = found === null ? -1 : found.index + found[0].length;
    if (found === null || offset < found.index || offset > end || unread.length === MOST_UNREAD)
      return { statements: [], error: parsed.error };
    unread.push({ node: UNREAD_NODE, tree: {}, text: found[0].trimEnd(), offset: before + found.index });
    text = `${text.slice(0, found.index)}${found[0].replaceAll(/[^\n]/g, ' ')}${text.slice(end)}`;
  }
}

/** The table that a statement writes rows into which stand in its text. */
function filledTable(statement: Statement): string | undefined {
  const insert = statementOf('InsertStmt', statement);
  const isWrittenOut = as('SelectStmt', insert?.selectStmt)?.valuesLists !== undefined;
  return isWrittenOut ? `${insert?.relation?.schemaname ?? ''}.${insert?.relation?.relname ?? ''}` : undefined;
}

/** Rows of one table, of which a large file has thousands, count as one statement. */
function joined(statements: readonly Statement[], { text, offset, inserts }: Piece): readonly Statement[] {
  const [first] = statements;
  const table = first === undefined || inserts === undefined ? undefined : filledTable(first);
  if (first === undefined || table === undefined) return statements;
  if (statements.some((statement) => filledTable(statement) !== table)) return statements;
  return [{ ...first, text: text.slice(first.offset - offset).replace(/[;\s]+$/, '') }];
}

/** The statements of the Up section. The files were parsed when they were read, so a syntax error is one of DO blocks. */
export async function readStatements(file: MigrationFile): Promise<ReadFile> {
  const all: Statement[] = [];
  for (const piece of piecesOf(file.up.sql)) {
    const parsed = await parseWhatCanBe(piece);
    if (parsed.error !== undefined) {
      const point = pointAt(file, parsed.error.offset);
      return { file, statements: [], notAnalysed: [{ file: file.path, ...point, reason: parsed.error.message }] };
    }
    all.push(...joined(parsed.statements, piece));
  }
  const statements: TopStatement[] = [];
  const notAnalysed: NotAnalysed[] = [];
  for (const statement of all) {
    const block = statement.node === 'DoStmt' ? await readBlock(file, statement) : { nested: [], notAnalysed: [] };
    notAnalysed.push(...block.notAnalysed);
    if (statement.node === UNREAD_NODE)
      notAnalysed.push({ file: file.path, ...pointAt(file, statement.offset), reason: NEWER });
    statements.push({ statement: linted(file, statement, false), nested: block.nested });
  }
  return { file, statements, notAnalysed };
}
