/** A command of aisec for a shell, with --schema where it is not the usual one. */
export function aisecCommand(words: string, schema: string): string {
  if (schema === 'public') return `aisec ${words}`;
  return `aisec ${words} --schema ${shellWord(schema)}`;
}

/** A word for a POSIX shell, quoted where it has to be. */
export function shellWord(text: string): string {
  return /^[a-z0-9_./:@%+=-]+$/i.test(text) ? text : shellQuoted(text);
}

/** In single quotes of a POSIX shell, whatever it is. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
