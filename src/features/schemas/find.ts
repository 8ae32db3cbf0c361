import type { Session } from '../../adapters/postgres/session.js';
import { withRollback } from '../../adapters/postgres/session.js';
import { sqlFile } from '../../adapters/postgres/sql-file.js';
import { AisecError, isAisecError } from '../../base/errors.js';
import { checkSchemaName, type SchemaChoice } from '../../config/schema-choice.js';

export interface FoundSchemas {
  readonly schemas: readonly string[];
  /** Schemas that a pattern matches, and that are not of aisec. */
  readonly left: readonly string[];
}

interface MatchRow {
  readonly schema_name: string;
  readonly has_history: boolean;
  readonly is_empty: boolean;
}

function likePattern(pattern: string): string {
  return pattern
    .replaceAll(/[\\%_]/g, String.raw`\$&`)
    .replaceAll('*', '%')
    .replaceAll('?', '_');
}

async function matching(session: Session, pattern: string, takesEmpty: boolean): Promise<FoundSchemas> {
  const { rows } = await session.query<MatchRow>(sqlFile('schemas/matching'), [[likePattern(pattern)]]);
  const named = (isWanted: boolean): readonly string[] =>
    rows.filter((row) => (row.has_history || (takesEmpty && row.is_empty)) === isWanted).map((row) => row.schema_name);
  return { schemas: named(true), left: named(false) };
}

async function queried(session: Session, sql: string): Promise<readonly string[]> {
  const rows = await withRollback(session, async () => {
    await session.query('set transaction read only');
    return (await session.query<Record<string, unknown>>(sql)).rows;
  }).catch((error: unknown) => {
    if (!isAisecError(error, 'DATABASE_READ_ONLY')) throw error;
    throw new AisecError('USAGE', 'the query of --schema may only read', { hint: 'Give a SELECT.' });
  });
  return rows.map((row) => {
    const [name] = Object.values(row);
    if (typeof name === 'string' && name !== '') return checkSchemaName(name, 'the schema');
    throw new AisecError('USAGE', 'the query of --schema gave a row without the name of a schema', {
      hint: 'Its first column must be a text.',
    });
  });
}

/** Each once, in the order of the choice. */
export async function findSchemas(session: Session, choice: SchemaChoice, takesEmpty: boolean): Promise<FoundSchemas> {
  const found: string[] = [];
  const left: string[] = [];
  if (choice.kind === 'query') found.push(...(await queried(session, choice.sql)));
  else
    for (const { text, isPattern } of choice.names) {
      const match = isPattern ? await matching(session, text, takesEmpty) : { schemas: [text], left: [] };
      found.push(...match.schemas);
      left.push(...match.left);
    }
  const schemas = [...new Set(found)];
  return { schemas, left: [...new Set(left)].filter((name) => !schemas.includes(name)) };
}
