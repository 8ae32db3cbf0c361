import type { Statement } from '../../../adapters/sql-parser/statements.js';

const KEPT: readonly string[] = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'SelectStmt'];

/**
 * Whether a statement of a file without a transaction has one of its own, together with its row in the journal: killed at
 * any moment, either both are kept or neither. Others may refuse that (CREATE INDEX CONCURRENTLY, VACUUM) or end the
 * transaction themselves (CALL, DO); of most a second run says that they were carried out.
 */
export function isKeptWithItsJournal({ node }: Pick<Statement, 'node'>): boolean {
  return KEPT.includes(node);
}
