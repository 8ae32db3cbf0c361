/** A string or number of a JSON text, with the name that it stands under. */
export interface JsonToken {
  readonly kind: 'key' | 'string' | 'number';
  /** Of a string: decoded. */
  readonly value: string;
  /** The nearest name above; empty at the top. */
  readonly under: string;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\]]/g;

/**
 * Replaces strings, names and numbers of a JSON text and leaves everything else as it is written: numbers of any size,
 * the order of names, names that are there twice. Undefined leaves a token as it is.
 */
export function replaceJson(json: string, replace: (token: JsonToken) => string | undefined): string {
  const above: string[] = [];
  let under = '';
  return json.replaceAll(TOKEN, (token, ...rest) => {
    const first = token[0];
    if (first === '{' || first === '[') above.push(under);
    else if (first === '}' || first === ']') under = above.pop() ?? '';
    else if (first !== '"') return replace({ kind: 'number', value: token, under }) ?? token;
    else {
      const end = (rest.at(-2) as number) + token.length;
      const value = JSON.parse(token) as string;
      const isKey = /^\s*:/.test(json.slice(end, end + 20));
      const masked = replace({ kind: isKey ? 'key' : 'string', value, under });
      if (isKey) under = value;
      return masked === undefined ? token : JSON.stringify(masked);
    }
    return token;
  });
}
