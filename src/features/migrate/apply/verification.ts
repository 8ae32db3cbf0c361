import { statementOf } from '../../../adapters/sql-parser/nodes.js';
import { parseStatements, type Statement } from '../../../adapters/sql-parser/statements.js';
import { AisecError, isAisecError } from '../../../base/errors.js';
import { quoteLiteral } from '../../../base/identifier.js';
import { placeInText } from '../../../base/text-place.js';
import type { MigrationFile, Verification } from '../files/migration-file.js';
import { labelOf } from '../files/source.js';

/** Stands in the field `table` of what a failed check raises, and the check's line in `column`. */
const MARK = 'aisec_verify';
/** Raised when all checks hold, so that what they wrote is rolled back. */
const DONE = 'AV000';

function step({ path, sql }: Verification, statement: Statement): string {
  const { line } = placeInText(path, sql, statement.offset);
  const text = quoteLiteral(statement.text);
  const select = statementOf('SelectStmt', statement);
  if (select === undefined) return `    place := ${line};\n    execute ${text};`;
  return `    place := ${line};
    for answer in execute ${text} loop
      select pg_catalog.string_agg(case a.key when '?column?' then 'the check' else a.key end || ' is false', ', ')
      into denied
      from pg_catalog.json_each(pg_catalog.to_json(answer)) a
      where a.value::text = 'false';
      if denied is not null then
        raise exception using message = denied;
      end if;
    end loop;`;
}

/**
 * The checks of a migration as one statement for the end of its transaction: raises where one is false or fails, and keeps
 * nothing of what they write. The same in a run and in a script for psql.
 */
export async function verificationSql(verification: Verification): Promise<string> {
  const parsed = await parseStatements(verification.sql);
  // The run has refused it before; without a statement a migration would count as verified.
  if ('error' in parsed)
    throw new AisecError('MIGRATION_FILE_INVALID', `invalid migration file: ${parsed.error.message}`, {
      position: placeInText(verification.path, verification.sql, parsed.error.offset),
    });
  const { statements } = parsed;
  const body = `
declare
  place integer;
  answer record;
  denied text;
  state text;
  message text;
  detail text;
begin
  begin
${statements.map((statement) => step(verification, statement)).join('\n')}
    raise exception using errcode = '${DONE}';
  exception
    when sqlstate '${DONE}' then
      null;
    when assert_failure or others then
      get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail;
      message := ${quoteLiteral(`verify/${verification.path.split(/[\\/]/).at(-1) ?? ''}:`)} || place || ': ' || message;
      if detail = '' then
        raise exception using errcode = state, message = message, table = '${MARK}', column = place::text;
      end if;
      raise exception using errcode = state, message = message, detail = detail, table = '${MARK}', column = place::text;
  end;
end
`;
  return `do ${quoteLiteral(body)};`;
}

/** What a check of this migration has raised, with its place; undefined for any other error. */
export function verificationFailure(
  error: unknown,
  file: MigrationFile,
  hint = 'Nothing of this migration was kept; those before it stay. Change the migration or the check and run `aisec migrate up` again.',
): AisecError | undefined {
  if (!isAisecError(error) || file.verification === undefined) return undefined;
  const { table, column } = (error.cause ?? {}) as { readonly table?: string; readonly column?: string };
  if (table !== MARK) return undefined;
  const message = error.message.replace(/^.*?\.sql:\d+: /, '');
  return new AisecError('MIGRATION_UNVERIFIED', `migration ${labelOf(file)} is not verified: ${message}`, {
    position: { file: file.verification.path, line: Number(column) },
    detail: error.detail,
    hint,
    // What this file raises itself has no code or context that says more.
    sqlState: error.sqlState === 'P0001' ? undefined : error.sqlState,
  });
}
