import type { PiiClass } from '../classes.js';
import { replaceJson } from '../mask/json-strings.js';
import { EMAIL } from '../mask/shapes.js';
import { RUN_LENGTH, RunFilter } from './run-filter.js';

/** What of an original value stands in a text, and where. */
export interface Hit {
  readonly kind: 'email' | 'name' | 'text';
  readonly from: number;
  readonly to: number;
}

const LATIN_EDGE = /[\p{Script=Latin}\d]/u;
/** A shorter name is part of any text: of ideographs and kana two characters, of letters three. */
const LEAST = { wide: 2, latin: 3 };

function isWide(name: string): boolean {
  return /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]/.test(name);
}

/** Whether a name is long enough to be looked for within texts. */
function isTelling(name: string): boolean {
  return name.length >= (isWide(name) ? LEAST.wide : LEAST.latin) && /\p{L}/u.test(name);
}

/** E-mail addresses within a text. Where letters of other alphabets touch one, as in Japanese, it is meant with and without them. */
function* addressesIn(text: string): Generator<{ readonly address: string; readonly from: number }> {
  if (!text.includes('@')) return;
  for (const { 0: address, index } of text.matchAll(new RegExp(EMAIL, 'gu'))) {
    yield { address, from: index };
    const inside = /[!-~]+@[!-~]*[a-z\d]/i.exec(address);
    if (inside !== null && inside[0] !== address) yield { address: inside[0], from: index + inside.index };
  }
}

/** The e-mail addresses, names and runs of characters of the original rows: none may stand in what is masked. */
export class Originals {
  readonly #emails = new Set<string>();
  readonly #names = new Set<string>();
  /** Names by their first two characters, in small letters. */
  readonly #byStart = new Map<string, string[]>();
  readonly #runs = new RunFilter();

  get counts(): { readonly emails: number; readonly names: number; readonly runs: number } {
    return { emails: this.#emails.size, names: this.#names.size, runs: this.#runs.count };
  }

  /** Takes the value of a column of a class. */
  add(piiClass: PiiClass, value: string): void {
    if (piiClass === 'email') this.#emails.add(value.toLowerCase());
    if (piiClass === 'name' || piiClass === 'username') this.#addName(value);
    if (piiClass === 'text') this.#addText(value);
    if (piiClass === 'json')
      replaceJson(value, ({ kind, value: text }) => {
        if (kind === 'string') this.#addText(text);
        return undefined;
      });
  }

  /** The first original e-mail address, name or run in a text; a code is looked through for addresses alone. */
  find(text: string, { isCode = false }: { readonly isCode?: boolean } = {}): Hit | undefined {
    const email = this.#findEmail(text);
    if (email !== undefined || isCode) return email;
    const name = this.#findName(text);
    if (name !== undefined) return name;
    const run = text.length < RUN_LENGTH ? -1 : this.#runs.find(text);
    return run < 0 ? undefined : { kind: 'text', from: run, to: run + RUN_LENGTH };
  }

  /** Whether a whole value is an original name: also of those too short to be looked for in texts. */
  isName(value: string): boolean {
    return this.#names.has(value.toLowerCase());
  }

  #addName(value: string): void {
    const name = value.toLowerCase().trim();
    if (name === '' || this.#names.has(name)) return;
    this.#names.add(name);
    if (!isTelling(name)) return;
    const start = name.slice(0, 2);
    const names = this.#byStart.get(start);
    if (names === undefined) this.#byStart.set(start, [name]);
    else names.push(name);
  }

  #addText(text: string): void {
    this.#runs.add(text);
    for (const { address } of addressesIn(text)) this.#emails.add(address.toLowerCase());
  }

  #findEmail(text: string): Hit | undefined {
    for (const { address, from } of addressesIn(text))
      if (this.#emails.has(address.toLowerCase())) return { kind: 'email', from, to: from + address.length };
    return undefined;
  }

  #findName(text: string): Hit | undefined {
    if (this.#byStart.size === 0) return undefined;
    const lower = text.toLowerCase();
    for (let from = 0; from < lower.length - 1; from += 1) {
      const name = this.#byStart
        .get(lower.slice(from, from + 2))
        ?.find((each) => lower.startsWith(each, from) && this.#standsAlone(lower, each, from));
      if (name !== undefined) return { kind: 'name', from, to: from + name.length };
    }
    return undefined;
  }

  /** A name of letters is a word of its own: "Ken" is not in "token". */
  #standsAlone(text: string, name: string, from: number): boolean {
    const isEdge = (inside: string, outside: string): boolean => !(LATIN_EDGE.test(inside) && LATIN_EDGE.test(outside));
    return (
      isEdge(name.charAt(0), text.charAt(from - 1)) &&
      isEdge(name.charAt(name.length - 1), text.charAt(from + name.length))
    );
  }
}
