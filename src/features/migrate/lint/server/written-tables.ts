import { namedRelations } from '../relation-names.js';
import type { LintedStatement, RelationFacts } from '../rule.js';

const WRITES = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'TruncateStmt', 'CopyStmt']);
/** What they do to which rows is seen only when they run. */
const OPAQUE = new Set(['DoStmt', 'CallStmt', 'SelectStmt']);

/** Tables whose rows the batch changes before a statement: what is in the connected database now says nothing then. */
export class WrittenTables {
  readonly #names = new Set<string>();
  #opaque = '';

  add(statements: readonly LintedStatement[]): void {
    for (const statement of statements) {
      if (WRITES.has(statement.node))
        for (const { relname = '' } of namedRelations(statement)) this.#names.add(relname);
      if (OPAQUE.has(statement.node)) this.#opaque += statement.text;
    }
  }

  has({ name }: Pick<RelationFacts, 'name'>): boolean {
    return this.#names.has(name) || this.#opaque.includes(name);
  }
}
