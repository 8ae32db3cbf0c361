import { describe, expect, test } from 'vitest';

import { declaredClass, type PiiClass } from '../../../../src/features/subset/classes.js';
import { Masker } from '../../../../src/features/subset/mask/masker.js';
import { Originals } from '../../../../src/features/subset/proof/originals.js';

interface Given {
  readonly key?: string;
  readonly originals?: readonly (readonly [PiiClass, string])[];
}

function masking({ key = 'a key', originals = [] }: Given = {}): {
  readonly mask: (piiClass: PiiClass, value: string, isKey?: boolean) => string;
  readonly originals: Originals;
} {
  const known = new Originals();
  for (const [piiClass, value] of originals) known.add(piiClass, value);
  const masker = new Masker({ key, passwordHash: undefined, originals: known });
  return {
    originals: known,
    mask: (piiClass, value, isKey = false) => masker.mask({ piiClass, isKey, isFamily: false }, value) ?? '',
  };
}

/** The script of each character; what is no letter or digit as it is. */
function pattern(text: string): string {
  return Array.from(text)
    .map((character) => {
      if (/\p{Script=Hiragana}/u.test(character)) return 'h';
      if (/[\p{Script=Katakana}ー]/u.test(character)) return 'k';
      if (/[\p{Script=Han}々]/u.test(character)) return 'H';
      if (/\d/.test(character)) return '9';
      if (/\p{Lu}/u.test(character)) return 'A';
      return /\p{L}/u.test(character) ? 'a' : character;
    })
    .join('');
}

describe('texts', () => {
  const text =
    '来週の月曜日、田中さんとの打ち合わせは14:30から。\n詳細は https://intra.tanaka.co.jp/plan?id=7 (Room B-12) です😀';

  test('keep their length, their scripts and all that is no letter', () => {
    const masked = masking().mask('text', text);
    expect(Array.from(masked)).toHaveLength(Array.from(text).length);
    const ofSentence = (value: string): string => pattern(value.replace(/https:\S+/, ''));
    expect(ofSentence(masked)).toBe(ofSentence(text));
    expect(masked).not.toContain('田中');
  });

  test('are the same for the same key and others for another', () => {
    expect(masking().mask('text', text)).toBe(masking().mask('text', text));
    expect(masking({ key: 'other' }).mask('text', text)).not.toBe(masking().mask('text', text));
  });

  test('of other alphabets are of the same alphabet', () => {
    const masked = masking().mask('text', 'Привет Ελλάς 안녕하세요 สวัสดี');
    expect(masked).toMatch(/^\p{Script=Cyrillic}{6} \p{Script=Greek}{5} \p{Script=Hangul}{5} [\p{Script=Thai}]+$/u);
    expect(masked).not.toContain('Привет');
  });

  test('have the address that the e-mail column has', () => {
    const { mask } = masking();
    const address = mask('email', 'taro@example.co.jp');
    expect(mask('text', '宛先は taro@example.co.jp です')).toContain(` ${address} `);
  });
});

describe('large values', () => {
  /** As of an image in base64: no spaces, no line feeds. */
  const image = 'iVBORw0KGgo'.repeat(100_000);

  test('a text with an image in it and an address behind it is masked', () => {
    const masked = masking().mask('text', `data:image/png;base64,${image} taro@example.co.jp`);
    expect(masked).toHaveLength(image.length + 'data:image/png;base64, taro@example.co.jp'.length);
    expect(masked).not.toContain('taro@');
  });

  test('a string of 17 million characters within JSON is masked', () => {
    const long = 'line of text\\n'.repeat(1_300_000);
    const masked = masking().mask('json', `{"a": [1, "${long}"], "b": "Tanaka"}`);
    expect(masked.slice(0, 9)).toBe('{"a": [1,');
    expect(masked).not.toMatch(/line of text|Tanaka/);
    expect(JSON.parse(masked)).toMatchObject({ a: [1, expect.any(String)] });
  });
});

test('an original address is found in a text without spaces around it', () => {
  const { originals } = masking({
    originals: [
      ['email', 'taro@example.co.jp'],
      ['text', '宛先はhina@example.co.jpです'],
    ],
  });
  expect(originals.find('連絡先はtaro@example.co.jpです。')).toEqual({ kind: 'email', from: 4, to: 22 });
  expect(originals.find('hina@example.co.jp')).toMatchObject({ kind: 'email' });
});

describe('what identifies a person', () => {
  test('e-mail addresses are valid, as long, and at one example domain for each domain', () => {
    const { mask } = masking();
    const [one, two] = [mask('email', 'hina.sato@aozora.co.jp', true), mask('email', 'k@aozora.co.jp', true)];
    expect(one).toMatch(/^[a-z]{4}\.[a-z]{4}@[a-z]+\.example$/);
    expect(one).toHaveLength('hina.sato@aozora.co.jp'.length);
    expect(one.split('@')[1]).toBe(two.split('@')[1]);
    expect(mask('email', 'a@b.jp')).toMatch(/^[a-z]@[a-z]\.example$/);
  });

  test('different values of a key stay different, however short they are', () => {
    const { mask } = masking();
    const codes = Array.from({ length: 26 }, (_, index) => String.fromCodePoint(0x61 + index));
    expect(new Set(codes.map((code) => mask('username', code, true))).size).toBe(26);
    const addresses = Array.from({ length: 500 }, (_, index) => `u${index}@x.jp`);
    expect(new Set(addresses.map((address) => mask('email', address, true))).size).toBe(500);
  });

  test('the same value of a key has one mask also where another value had it first', () => {
    const { mask } = masking();
    const codes = Array.from({ length: 20 }, (_, index) => String.fromCodePoint(0x61 + index));
    const first = codes.map((code) => mask('username', code, true));
    expect(codes.map((code) => mask('username', code, true))).toEqual(first);
  });

  test('names are names of the same length and script, and never an original one', () => {
    const { mask, originals } = masking({
      originals: [
        ['name', '青木'],
        ['name', '田中'],
        ['name', '優奈'],
      ],
    });
    for (const name of ['田中', '長谷川', '修', 'みなと', 'Tanaka', 'MARTINEZ', 'ケンジ', "O'Brien"]) {
      const masked = mask('name', name);
      expect([masked, pattern(masked)]).toEqual([expect.anything(), pattern(name)]);
      expect(originals.isName(masked)).toBe(false);
    }
  });

  test('URLs, files, IP addresses, telephone numbers and tokens keep their form', () => {
    const { mask } = masking();
    expect(mask('url', 'https://cdn.aozora.co.jp:8443/u/tanaka/photo.png?v=12')).toMatch(
      /^https:\/\/[a-z]+\.example:8443\/[a-z]\/[a-z]{6}\/[a-z]{5}\.png\?[a-z]=\d\d$/,
    );
    expect(pattern(mask('file', 'users/42/議事録.docx'))).toBe('aaaaa/99/HHH.aaaa');
    expect(mask('file', 'users/42/議事録.docx')).toMatch(/\.docx$/);
    expect(mask('ip', '10.2.3.4')).toMatch(/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/);
    expect(mask('ip', 'fe80::1/64')).toMatch(/^2001:db8:[0-9a-f:]+\/64$/);
    expect(mask('phone', '+81 90-1234-5678')).toMatch(/^\+8\d \d\d-\d{4}-\d{4}$/);
    expect(mask('token', 'sk_live_A1b2')).toMatch(/^[a-z]{2}_[a-z]{4}_[A-Z]\d[a-z]\d$/);
    expect(mask('token', '9f86d081884c')).toMatch(/^[0-9a-f]{12}$/);
    expect(mask('password', 'x')).toMatch(/^\$2a\$12\$[./A-Za-z0-9]{53}$/);
  });
});

test('JSON keeps its form, its numbers as they are written, and what a program reads', () => {
  const json =
    '{"tokens": 12345678901234567890, "user": {"email":"taro@aozora.jp","name" : "田中 太郎"}, "tags":["東京都", null, true], "phone": 9012345678, "name": "a", "at": "2026-01-02T03:04:05Z", "山田": 1}';
  const masked = masking().mask('json', json);
  expect(masked).toMatch(
    /^\{"tokens": 12345678901234567890, "user": \{"email":"[a-z]{4}@[a-z]+\.example","name" : "\p{Script=Han}\p{Script=Han} \p{Script=Han}{2}"\}, "tags":\["\p{Script=Han}{3}", null, true\], "phone": 9\d{9}, "name": "[a-z]", "at": "2026-01-02T03:04:05Z", "\p{Script=Han}{2}": 1\}$/u,
  );
  expect(masked).not.toMatch(/田中|太郎|東京都|山田|taro/);
});

test('embeddings keep their norm and the distances between them, and nothing else', () => {
  const { mask } = masking();
  const parse = (text: string): readonly number[] => JSON.parse(text) as number[];
  const vectors = ['[1,2,3,4,5,6]', '[0.5,-1,0,2,1,1]'];
  const [one = [], two = []] = vectors.map(parse);
  const [maskedOne = [], maskedTwo = []] = vectors.map((vector) => parse(mask('embedding', vector)));
  const dot = (left: readonly number[], right: readonly number[]): number =>
    left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
  expect(dot(maskedOne, maskedOne)).toBeCloseTo(dot(one, one), 4);
  expect(dot(maskedOne, maskedTwo)).toBeCloseTo(dot(one, two), 4);
  expect(maskedOne).not.toEqual(one);
});

describe('no mask holds an original', () => {
  test('neither a short name in a long text nor a run of another text', () => {
    const names: (readonly [PiiClass, string])[] = ['ます', 'から', '会議', '予定', 'ゆい'].map((name) => [
      'name',
      name,
    ]);
    const { mask, originals } = masking({ originals: [...names, ['text', 'よろしくお願いいたします。']] });
    for (let index = 0; index < 200; index += 1)
      expect(
        originals.find(mask('text', `${index}回目の会議の予定をご連絡いたします。よろしくお願いいたします。`)),
      ).toBeUndefined();
  });

  test('and what holds one is found: addresses, names as words, runs of 12 characters', () => {
    const { originals } = masking({
      originals: [
        ['email', 'Taro@Aozora.jp'],
        ['name', 'Ken'],
        ['name', '田中'],
        ['text', '明日の打ち合わせは午後三時からです'],
      ],
    });
    expect(originals.find('send to taro@aozora.jp now')?.kind).toBe('email');
    expect(originals.find('ask ken, please')?.kind).toBe('name');
    expect(originals.find('a token, a kennel')).toBeUndefined();
    expect(originals.find('では田中さんに')?.kind).toBe('name');
    expect(originals.find('x打ち合わせは午後三時からy')?.kind).toBe('text');
    expect(originals.find('x打ち合わせは午後三時y')).toBeUndefined();
    expect(originals.find('田中', { isCode: true })).toBeUndefined();
  });
});

test('the class of a column stands in its comment', () => {
  expect(declaredClass('Name shown to users. pii: text')).toBe('text');
  expect(declaredClass('pii:none')).toBe('none');
  expect(declaredClass('May hold pii')).toBeUndefined();
  expect(declaredClass(null)).toBeUndefined();
});
