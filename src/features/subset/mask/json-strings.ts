/** A string or number of a JSON text, with the name that it stands under. */
export interface JsonToken {
  readonly kind: 'key' | 'string' | 'number';
  /** Of a string: decoded. */
  readonly value: string;
  /** The nearest name above; empty at the top. */
  readonly under: string;
}

/** Where a token begins: a number as a whole. */
const TOKEN = /-?\d[\d.eE+-]*|["{}[\]]/g;
const COLON = /\s*:/y;

/** Behind the string that begins there. By hand: an expression has no stack for a string of 16 MB. */
function endOfString(json: string, start: number): number {
  let end = start + 1;
  while (end < json.length && json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
  return end + 1;
}

function isBeforeColon(json: string, end: number): boolean {
  COLON.lastIndex = end;
  return COLON.test(json);
}

/**
 * Replaces strings, names and numbers of a JSON text and leaves everything else as it is written: numbers of any size,
 * the order of names, names that are there twice. Undefined leaves a token as it is.
 */
export function replaceJson(json: string, replace: (token: JsonToken) => string | undefined): string {
  const above: string[] = [];
  const pieces: string[] = [];
  let [under, copied] = ['', 0];
  const put = (start: number, end: number, replaced: string | undefined): void => {
    if (replaced === undefined) return;
    pieces.push(json.slice(copied, start), replaced);
    copied = end;
  };
  const tokens = new RegExp(TOKEN);
  for (let found = tokens.exec(json); found !== null; found = tokens.exec(json)) {
    const { 0: token, index: start } = found;
    if (token === '{' || token === '[') above.push(under);
    else if (token === '}' || token === ']') under = above.pop() ?? '';
    else if (token !== '"') put(start, start + token.length, replace({ kind: 'number', value: token, under }));
    else {
      const end = endOfString(json, start);
      tokens.lastIndex = end;
      const value = JSON.parse(json.slice(start, end)) as string;
      const isKey = isBeforeColon(json, end);
      const masked = replace({ kind: isKey ? 'key' : 'string', value, under });
      if (isKey) under = value;
      put(start, end, masked === undefined ? undefined : JSON.stringify(masked));
    }
  }
  return pieces.join('') + json.slice(copied);
}
