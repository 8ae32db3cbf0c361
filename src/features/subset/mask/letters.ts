import type { Random } from '../../../base/random.js';
import { characterFor, kindOf, runFor, type Kind } from './scripts.js';

/** Replaces every letter and digit by one of its script; the same number of characters, all others where they were. */
export function maskLetters(text: string, random: Random): string {
  let masked = '';
  let run: number[] = [];
  let runKind: Kind | undefined;
  const flush = (): void => {
    if (runKind !== undefined) masked += runFor(run, runKind, random);
    run = [];
  };
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const kind = kindOf(point);
    if (kind !== runKind) flush();
    runKind = kind;
    if (kind === undefined) masked += character;
    else run.push(point);
  }
  flush();
  return masked;
}

/** The same one character at a time: capital, small letter and digit stay such. For secrets and codes, which are no words. */
export function maskCharacters(text: string, random: Random): string {
  return Array.from(text)
    .map((character) => {
      const point = character.codePointAt(0) ?? 0;
      const kind = kindOf(point);
      return kind === undefined ? character : characterFor(point, kind, random);
    })
    .join('');
}

/** Replaces one letter or digit between two places. Unchanged where there is none. */
export function changeOne(text: string, from: number, to: number, random: Random): string {
  const places: number[] = [];
  for (let place = from; place < to; place += 1) {
    const unit = text.charCodeAt(place);
    // Halves of a character beyond 16 bits are left alone.
    if ((unit < 0xd800 || unit > 0xdfff) && kindOf(unit) !== undefined) places.push(place);
  }
  const place = places[random.below(places.length)];
  if (place === undefined) return text;
  const point = text.charCodeAt(place);
  const kind = kindOf(point);
  if (kind === undefined) return text;
  return text.slice(0, place) + characterFor(point, kind, random) + text.slice(place + 1);
}

/** Words have fewer masks than characters: after so many attempts any character is taken. */
const FROM_WORDS = 40;

/** Masks as a word at first, and where every word is taken, one character at a time. */
export function spell(text: string, random: Random, attempt: number): string {
  return attempt < FROM_WORDS ? maskLetters(text, random) : maskCharacters(text, random);
}
