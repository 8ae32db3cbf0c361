/** A text as a literal of JavaScript, in single quotes. */
export function literal(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function isPlain(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

/** A name as the key of an interface or an object. */
export function typeKey(name: string): string {
  return isPlain(name) ? name : literal(name);
}

/** Comments of the database may hold the end of a comment. */
export function docstring(comment: string, indent: string): string {
  const lines = comment.replaceAll('*/', '*\\/').split(/\r\n|[\n\r\u2028\u2029]/);
  if (lines.length === 1) return `${indent}/** ${lines[0] ?? ''} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}

const LINE_WIDTH = 120;

/** `import type { … } from '…';`, without the word type for values; empty without names. */
export function importLine(names: readonly string[], from: string, word = 'import type'): string {
  if (names.length === 0) return '';
  const sorted = [...new Set(names)].toSorted();
  const line = `${word} { ${sorted.join(', ')} } from '${from}';\n`;
  if (line.length <= LINE_WIDTH) return line;
  return `${word} {\n${sorted.map((name) => `  ${name},\n`).join('')}} from '${from}';\n`;
}
