import { parseStatements, type Statement } from '../../adapters/sql-parser/statements.js';
import type { FilePosition } from '../../base/errors.js';
import { placeInText } from '../../base/text-place.js';

/** The setting that a seed file reads the admin password from. */
export const ADMIN_PASSWORD_SETTING = 'aisec.admin_password';

export type SeedAction = 'insert' | 'update' | 'delete' | 'merge';

export interface SeedStatement {
  readonly text: string;
  /** Characters of the file before it. */
  readonly offset: number;
  readonly action: SeedAction;
  readonly table: string;
  /** Whether it reads the admin password. */
  readonly takesPassword: boolean;
}

export interface SeedFile {
  /** `01-system-settings.sql` */
  readonly name: string;
  /** For messages: the path as the user gave the directory. */
  readonly path: string;
  readonly content: string;
  readonly statements: readonly SeedStatement[];
}

export interface FileProblem extends FilePosition {
  readonly message: string;
}

const ACTIONS: Readonly<Record<string, SeedAction>> = {
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
};

function seedStatement({ text, offset, node, tree }: Statement): SeedStatement | undefined {
  const action = ACTIONS[node];
  if (action === undefined) return undefined;
  const relation = tree['relation'] as { readonly relname?: string } | undefined;
  return { text, offset, action, table: relation?.relname ?? '', takesPassword: text.includes(ADMIN_PASSWORD_SETTING) };
}

/**
 * Reads one seed file. Only statements whose command tag counts rows are let in: so "nothing to do" is what the server
 * said, a password is known to have been used or not, and nothing leaves the transaction.
 */
export async function parseSeedFile(
  path: string,
  name: string,
  raw: string,
): Promise<{ readonly file?: SeedFile; readonly problems: readonly FileProblem[] }> {
  const content = raw.replace(/^\uFEFF/, '');
  const problem = (offset: number, message: string): FileProblem => ({
    ...placeInText(path, content, offset),
    message,
  });
  if (content.trim() === '') return { problems: [{ file: path, line: 1, message: 'the file is empty' }] };
  // The parser is C and takes it for the end of the text.
  if (content.includes('\0')) return { problems: [problem(content.indexOf('\0'), 'the file has a NUL character')] };
  const parsed = await parseStatements(content);
  if ('error' in parsed) return { problems: [problem(parsed.error.offset, parsed.error.message)] };
  if (parsed.statements.length === 0)
    return { problems: [{ file: path, line: 1, message: 'the file has comments only' }] };
  const statements: SeedStatement[] = [];
  const problems: FileProblem[] = [];
  for (const found of parsed.statements) {
    const statement = seedStatement(found);
    if (statement === undefined)
      problems.push(problem(found.offset, 'a seed file has insert, update, delete and merge statements only'));
    else statements.push(statement);
  }
  return problems.length > 0 ? { problems } : { problems, file: { name, path, content, statements } };
}
