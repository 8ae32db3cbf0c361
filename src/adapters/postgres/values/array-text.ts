/** What a text of PostgreSQL becomes. */
export type Parse = (text: string) => unknown;

/** Reads one array from its text, from the brace at `at` on. */
class ArrayText {
  readonly #text: string;
  readonly #delimiter: string;
  readonly #parse: Parse;
  #at: number;

  constructor(text: string, delimiter: string, parse: Parse) {
    this.#text = text;
    this.#delimiter = delimiter;
    this.#parse = parse;
    // Bounds other than 1 stand before it: [0:1]={a,b}.
    this.#at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  }

  read(): unknown[] {
    const items: unknown[] = [];
    this.#at += 1;
    while (this.#text[this.#at] !== '}') {
      items.push(this.#item());
      if (this.#text[this.#at] === this.#delimiter) this.#at += 1;
      if (this.#at >= this.#text.length) throw new Error('the array has no end');
    }
    this.#at += 1;
    return items;
  }

  #item(): unknown {
    const first = this.#text[this.#at];
    if (first === '{') return this.read();
    if (first === '"') return this.#parse(this.#quoted());
    const from = this.#at;
    while (this.#at < this.#text.length && !this.#isEnd(this.#text[this.#at])) this.#at += 1;
    const word = this.#text.slice(from, this.#at);
    return word === 'NULL' ? null : this.#parse(word);
  }

  #isEnd(character: string | undefined): boolean {
    return character === this.#delimiter || character === '}';
  }

  #quoted(): string {
    let value = '';
    for (this.#at += 1; this.#at < this.#text.length && this.#text[this.#at] !== '"'; this.#at += 1) {
      if (this.#text[this.#at] === '\\') this.#at += 1;
      value += this.#text[this.#at];
    }
    this.#at += 1;
    return value;
  }
}

/** The elements of an array as PostgreSQL writes it, nested as it is; null where it says NULL. */
export function parseArray(text: string, delimiter: string, parse: Parse): unknown[] {
  return new ArrayText(text, delimiter, parse).read();
}
