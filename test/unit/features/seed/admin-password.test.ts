import { describe, expect, test } from 'vitest';

import { generatePassword, passwordWeakness } from '../../../../src/features/seed/admin-password.js';

describe('a password for the admin user', () => {
  test.each([
    ['nothing', '', 'is empty'],
    ['eleven characters', 'kX9#mQ2$vL7', 'is shorter than 12 characters'],
    ['admin123', 'admin123', 'is shorter than 12 characters'],
    ['eleven characters of four bytes', '🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔', 'is shorter than 12 characters'],
    ['73 bytes', `${'abcdefghijklm nopqrstu-'.repeat(3)}vwxy`, 'is longer than 72 bytes'],
    ['25 characters of three bytes', 'あいうえおかきくけこさしすせそたちつてとなにぬねの', 'is longer than 72 bytes'],
    ['a well-known word twice', 'admin123admin123', 'is made of well-known words or repetitions'],
    ['a well-known word with an ending', 'Password1234!', 'is made of well-known words or repetitions'],
    ['a well-known word in disguise', 'P@ssw0rd-2024', 'is made of well-known words or repetitions'],
    ['one character again and again', 'aaaaaaaaaaaaaaaa', 'is made of well-known words or repetitions'],
    ['a row of digits', '1234567890123456', 'is made of well-known words or repetitions'],
    ['a row of the keyboard', 'qwertyuiop123', 'is made of well-known words or repetitions'],
    ['a blank at the end', 'korrekt-Pferd-77 ', 'begins or ends with a blank'],
    ['a tab inside', 'korrekt\tPferd-77', 'has control characters or is not valid UTF-8'],
    ['a byte that is not UTF-8', 'korrekt\uFFFDPferd-77', 'has control characters or is not valid UTF-8'],
  ])('with %s is refused', (_title, password, weakness) => {
    expect(passwordWeakness(password)).toBe(weakness);
  });

  test.each([
    ['of 12 characters', 'kX9#mQ2$vL7!'],
    ['of 72 bytes', `${'abcdefghijklm nopqrstu-'.repeat(3)}vwx`],
    ['of 24 characters of three bytes', 'あいうえおかきくけこさしすせそたちつてとなにぬね'],
    ['that only contains a well-known word', 'the-admin-of-Kyoto-7'],
    ['with quotes, backslashes and dollars', `it's "a" \\ $1 $$ x`],
  ])('%s is taken', (_title, password) => {
    expect(passwordWeakness(password)).toBeUndefined();
  });
});

test('a generated password is strong, easy to read, and never the same', () => {
  const passwords = Array.from({ length: 1000 }, generatePassword);
  expect(new Set(passwords).size).toBe(1000);
  for (const password of passwords) {
    expect(password).toMatch(/^[a-km-zA-HJ-NP-Z2-9]{20}$/);
    expect(passwordWeakness(password)).toBeUndefined();
  }
});
