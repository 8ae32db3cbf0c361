import { isLeftOut, type LeftOutKinds } from '../left-out-kinds.js';

/** As pg_dump quotes names: only where it must. */
function asDumped(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * What an archive says of the database itself (owner, settings, connection limit, grants, comment), for another name.
 * `script` is the output of `pg_restore --create --schema-only` of those entries alone; CREATE and \connect stay out.
 */
export function databaseStatements(
  script: string,
  oldName: string,
  newName: string,
  leftOut: LeftOutKinds,
): readonly string[] {
  const quoted = `"${newName.replaceAll('"', '""')}"`;
  const old = `(?:${escaped(asDumped(oldName))}|${escaped(`"${oldName.replaceAll('"', '""')}"`)})`;
  const patterns = [
    new RegExp(`^(ALTER DATABASE )${old}( .*;)$`),
    new RegExp(`^(ALTER ROLE .* IN DATABASE )${old}( SET .*;)$`),
    new RegExp(`^(COMMENT ON DATABASE )${old}( IS .*;)$`),
    new RegExp(`^((?:GRANT|REVOKE) .* ON DATABASE )${old}( (?:TO|FROM) .*;)$`),
  ];
  return script.split('\n').flatMap((line) => {
    const match = patterns.map((pattern) => pattern.exec(line)).find((found) => found !== null);
    const statement = match === undefined ? undefined : `${match[1] ?? ''}${quoted}${match[2] ?? ''}`;
    return statement === undefined || isLeftOut(statement, leftOut) ? [] : [statement];
  });
}
