import type { Random } from '../../../base/random.js';
import { HIRAGANA_PIECES, KANJI_WORDS, KATAKANA_WORDS } from './words-ja.js';

/** What a character is replaced by is of the same kind; what has no kind stays: spaces, marks, emoji. */
export type Kind =
  'digit' | 'wide digit' | 'lower' | 'upper' | 'hiragana' | 'katakana' | 'half kana' | 'kanji' | 'hangul' | 'letter';

const LETTER = /[\p{L}\p{Nd}\p{Nl}]/u;

function findKind(point: number): Kind | undefined {
  if (point >= 0x30 && point <= 0x39) return 'digit';
  if (point >= 0x61 && point <= 0x7a) return 'lower';
  if (point >= 0x41 && point <= 0x5a) return 'upper';
  if (point >= 0x3041 && point <= 0x3096) return 'hiragana';
  if ((point >= 0x30a1 && point <= 0x30fa) || point === 0x30fc) return 'katakana';
  if (point >= 0xff66 && point <= 0xff9d) return 'half kana';
  if (point >= 0xff10 && point <= 0xff19) return 'wide digit';
  if ((point >= 0x3400 && point <= 0x9fff) || point === 0x3005 || (point >= 0xf900 && point <= 0xfaff)) return 'kanji';
  if (point >= 0x20000 && point <= 0x3ffff) return 'kanji';
  if (point >= 0xac00 && point <= 0xd7a3) return 'hangul';
  return LETTER.test(String.fromCodePoint(point)) ? 'letter' : undefined;
}

const known = new Map<number, Kind | undefined>();

/** Undefined for what stays as it is. */
export function kindOf(point: number): Kind | undefined {
  if (known.has(point)) return known.get(point);
  const kind = findKind(point);
  known.set(point, kind);
  return kind;
}

function byLength(words: readonly string[]): ReadonlyMap<number, readonly string[]> {
  const lengths = new Set(words.map(({ length }) => length));
  return new Map([...lengths].map((length) => [length, words.filter((word) => word.length === length)]));
}

const WORDS: Partial<Record<Kind, ReadonlyMap<number, readonly string[]>>> = {
  kanji: byLength([...KANJI_WORDS, ...new Set(KANJI_WORDS.join(''))]),
  katakana: byLength(KATAKANA_WORDS),
  hiragana: byLength(HIRAGANA_PIECES),
};

const VOWELS = 'aeiou';
const CONSONANTS = 'bdfghjkmnprstvwz';
const HALF_KANA = 'ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾗﾘﾙﾚﾛ';
const HANGUL = '가나다라마바사아자하고노도로모보소오조호구누두루무부수우주후기니디리미비시이지히';
const HIRAGANA = 'あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわ';
const KATAKANA = 'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワ';

function oneOf(characters: string, random: Random): string {
  return characters.charAt(random.below(characters.length));
}

/** A letter of another alphabet: one of its neighbours of the same case. */
function neighbour(point: number, random: Random): string {
  const base = point - (point % 32);
  const kind = (text: string): string => (/\p{Lu}/u.test(text) ? 'upper' : /\p{Ll}/u.test(text) ? 'lower' : 'other');
  const own = kind(String.fromCodePoint(point));
  const choice = Array.from({ length: 32 }, (_, index) => String.fromCodePoint(base + index)).filter(
    (text) => LETTER.test(text) && kind(text) === own,
  );
  return choice[random.below(choice.length)] ?? String.fromCodePoint(point);
}

/** Another character of the same kind. */
export function characterFor(point: number, kind: Kind, random: Random): string {
  switch (kind) {
    case 'digit':
      return String(random.below(10));
    case 'wide digit':
      return String.fromCodePoint(0xff10 + random.below(10));
    case 'lower':
      return String.fromCodePoint(0x61 + random.below(26));
    case 'upper':
      return String.fromCodePoint(0x41 + random.below(26));
    case 'hiragana':
      return oneOf(HIRAGANA, random);
    case 'katakana':
      return oneOf(KATAKANA, random);
    case 'half kana':
      return oneOf(HALF_KANA, random);
    case 'kanji':
      return random.pick(WORDS.kanji?.get(1) ?? []);
    case 'hangul':
      return oneOf(HANGUL, random);
    case 'letter':
      return neighbour(point, random);
  }
}

function fromWords(words: ReadonlyMap<number, readonly string[]>, length: number, random: Random): string {
  const whole = words.get(length);
  if (whole !== undefined && random.chance(0.8)) return random.pick(whole);
  let text = '';
  while (text.length < length) {
    const left = length - text.length;
    const size = left <= 2 || left === 4 ? Math.min(2, left) : 2 + random.below(2);
    text += random.pick(words.get(size) ?? words.get(1) ?? []);
  }
  return text.slice(0, length);
}

/** What takes the place of characters of one kind that stand together: as many, made of words where there are any. */
export function runFor(points: readonly number[], kind: Kind, random: Random): string {
  const words = WORDS[kind];
  if (words !== undefined) return fromWords(words, points.length, random);
  if (kind !== 'lower') return points.map((point) => characterFor(point, kind, random)).join('');
  let isVowel = random.chance(0.4);
  return points
    .map(() => {
      isVowel = !isVowel;
      return oneOf(isVowel ? VOWELS : CONSONANTS, random);
    })
    .join('');
}
