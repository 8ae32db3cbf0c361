import type { LintedStatement } from './rule.js';

/** What the schema decides, and not what the replay lacks: a wrong name, a duplicate, an object that others need. */
const DECIDED_BY_SCHEMA = /^42(?!501)|^2BP01$|^0A000$|^25001$|^55P04$/;

/** Whether the statement would fail on every database with this schema. */
export function isDecidedBySchema({ node }: Pick<LintedStatement, 'node'>, sqlState: string | undefined): boolean {
  return node !== 'CreateExtensionStmt' && DECIDED_BY_SCHEMA.test(sqlState ?? '');
}
