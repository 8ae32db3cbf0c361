import type { Random } from '../../../base/random.js';
import { maskLetters } from './letters.js';
import type { MaskKey } from './mask-key.js';
import { FAMILY_NAMES, GIVEN_NAMES, KANA_NAMES, LATIN_NAMES } from './words-ja.js';

/** After these attempts a list has none that may be used: any characters of the script are taken. */
const FROM_LISTS = 40;

const IDEOGRAPHS = /^[\p{Script=Han}々]+$/u;
const HIRAGANA = /^\p{Script=Hiragana}+$/u;
const LATIN = /^[A-Za-z]+$/;

function choiceFor(word: string, isFamily: boolean): readonly string[] {
  if (IDEOGRAPHS.test(word)) return isFamily ? FAMILY_NAMES : GIVEN_NAMES;
  if (HIRAGANA.test(word)) return KANA_NAMES;
  return LATIN.test(word) ? LATIN_NAMES : [];
}

function inCaseOf(word: string, name: string): string {
  if (word === word.toUpperCase()) return name.toUpperCase();
  return word === word.toLowerCase() ? name.toLowerCase() : name;
}

function nameFor(word: string, isFamily: boolean, random: Random, attempt: number): string {
  const choice = choiceFor(word, isFamily).filter(({ length }) => length === word.length);
  if (choice.length === 0 || attempt >= FROM_LISTS) return maskLetters(word, random);
  return inCaseOf(word, random.pick(choice));
}

/** A name of the same length and script. Of several words each is one. */
export function maskName(key: MaskKey, value: string, attempt: number, isFamily: boolean): string {
  const random = key.random('name', value, attempt);
  return value
    .split(/([\s・.'’-]+)/u)
    .map((word, index) =>
      index % 2 === 1 || word === '' ? word : nameFor(word, isFamily && index === 0, random, attempt),
    )
    .join('');
}
