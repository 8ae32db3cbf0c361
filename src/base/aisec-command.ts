/** A command of aisec for a shell, with --schema where it is not the usual one. */
export function aisecCommand(words: string, schema: string): string {
  if (schema === 'public') return `aisec ${words}`;
  const quoted = /^[a-z0-9_]+$/i.test(schema) ? schema : `'${schema.replaceAll("'", `'\\''`)}'`;
  return `aisec ${words} --schema ${quoted}`;
}
