/** A command of aisec for a shell, with --schema where it is not the usual one. */
export function aisecCommand(words: string, schema: string): string {
  if (schema === 'public') return `aisec ${words}`;
  return `aisec ${words} --schema ${shellWord(schemaName(schema))}`;
}

/** A name as --schema takes it: in double quotes where it would be a list, a pattern or a query. */
export function schemaName(name: string): string {
  const isPlain = !/[,*?]|^\s|\s$|^".*"$|^(?:select|with|values|table)\s/i.test(name);
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A word for a POSIX shell, quoted where it has to be. */
export function shellWord(text: string): string {
  return /^[a-z0-9_./:@%+=-]+$/i.test(text) ? text : shellQuoted(text);
}

/** In single quotes of a POSIX shell, whatever it is. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
