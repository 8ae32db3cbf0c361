/** Those of HTML that are never closed; those of SVG are, or end in a slash. */
const VOID = new Set(['meta', 'br']);
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Markup {
  readonly elements: readonly Element[];
  /** What a reader sees, entities resolved, every blank one space. */
  readonly text: string;
}

function decode(text: string): string {
  return text.replaceAll(/&(\w+|#39);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}

/**
 * Reads a document as strictly as XML: every element is closed, every attribute quoted, no stray < or >. Throws where a
 * browser would have to guess.
 */
export function parseMarkup(document: string): Markup {
  const elements: Element[] = [];
  const open: string[] = [];
  let text = '';
  let at = 0;
  const body = document.replace(/^<!doctype html>\s*/i, '');
  while (at < body.length) {
    if (body[at] !== '<') {
      const end = body.indexOf('<', at);
      const chunk = body.slice(at, end < 0 ? undefined : end);
      if (open.at(-1) !== 'style') {
        if (/[>]|&(?!(?:amp|lt|gt|quot|#39);)/.test(chunk)) throw new Error(`unescaped: ${chunk}`);
        text += decode(chunk);
      }
      at += chunk.length;
      continue;
    }
    const closing = /^<\/(\w+)\s*>/.exec(body.slice(at, at + 200));
    if (closing !== null) {
      if (open.pop() !== closing[1]) throw new Error(`unbalanced ${closing[0]} at ${body.slice(at - 100, at)}`);
      at += closing[0].length;
      continue;
    }
    const opening = /^<([a-zA-Z]\w*)((?:\s+[\w:-]+="[^"<>]*")*)\s*(\/?)>/.exec(body.slice(at));
    if (opening === null) throw new Error(`no tag: ${body.slice(at, at + 80)}`);
    const [whole, name = '', attributes = '', slash] = opening;
    const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [
      key,
      decode(value),
    ]);
    elements.push({ name, attributes: Object.fromEntries(pairs) as Record<string, string> });
    if (slash === '' && !VOID.has(name)) open.push(name);
    at += whole.length;
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(' ')}`);
  return { elements, text: text.replaceAll(/\s+/g, ' ') };
}
