/** Where the parenthesis that opens at `start` is closed; texts and quoted names are passed over. */
function endOfArguments(sql: string, start: number): number {
  let depth = 0;
  let quote = '';
  for (let at = start; at < sql.length; at += 1) {
    const character = sql.charAt(at);
    if (quote !== '') {
      // A doubled one ends and begins again, which comes to the same.
      if (character === quote) quote = '';
    } else if (character === "'" || character === '"') quote = character;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return sql.length;
}

/**
 * An expression as PostgreSQL prints it, with each call of a function inside of (select ...), so that it is evaluated once
 * for a statement.
 *
 * @param name quoted where it has to be
 */
export function wrapCalls(expression: string, name: string): string {
  const escaped = name.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
  const call = new RegExp(String.raw`(?<![\w$".])(?:(?:[\w$]+|"[^"]+")\.)?${escaped}\(`, 'g');
  let text = '';
  let done = 0;
  for (const { 0: found, index } of expression.matchAll(call)) {
    if (index < done) continue;
    const end = endOfArguments(expression, index + found.length - 1);
    text += `${expression.slice(done, index)}(select ${expression.slice(index, end)})`;
    done = end;
  }
  return text + expression.slice(done);
}
