import { randomInt } from 'node:crypto';

const SHORTEST = 12;
/** bcrypt reads no further: https://www.postgresql.org/docs/16/pgcrypto.html#PGCRYPTO-CRYPT-ALGORITHMS */
const LONGEST_BYTES = 72;
/** Characters that must be left when everything well-known is taken out of a password. */
const FEWEST_OWN_CHARACTERS = 5;

/** Longer ones first: `administrator` goes as a whole. */
const WELL_KNOWN = [
  'administrator',
  'correcthorsebatterystaple',
  'postgresql',
  'ai-secretary',
  'secretary',
  'password',
  'passw0rd',
  'p@ssw0rd',
  'p@ssword',
  'passwort',
  'changeme',
  'postgres',
  'superuser',
  'letmein',
  'welcome',
  'iloveyou',
  'default',
  'qwertyuiop',
  'qwertz',
  'qwerty',
  'asdfghjkl',
  'zxcvbnm',
  '1q2w3e4r5t',
  '1qaz2wsx',
  'admin',
  'secret',
  'dragon',
  'monkey',
  'aisec',
  'login',
  'guest',
  'master',
  'test',
  'user',
  'root',
  'pass',
  'abcdefgh',
  'abcdef',
  'abc',
  '1234567890',
  '123456789',
  '0123456789',
  '12345678',
  '1234567',
  '123456',
  '12345',
  '1234',
  '123',
  '987654321',
  '321',
];

/** No 0 O o, 1 l I: it may be typed from a screen. 55 characters, so 20 of them are 115 bits. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const GENERATED_LENGTH = 20;

function ownCharacters(password: string): number {
  const rest = WELL_KNOWN.reduce((text, word) => text.replaceAll(word, ''), password.toLowerCase());
  return new Set(rest).size;
}

/** What is wrong with a password for the admin user, as the end of a sentence; undefined when it is good. */
export function passwordWeakness(password: string): string | undefined {
  if (password === '') return 'is empty';
  if (/[\p{Cc}\uFFFD]/u.test(password)) return 'has control characters or is not valid UTF-8';
  if (password.trim() !== password) return 'begins or ends with a blank';
  if (Array.from(password).length < SHORTEST) return `is shorter than ${SHORTEST} characters`;
  if (Buffer.byteLength(password, 'utf8') > LONGEST_BYTES) return `is longer than ${LONGEST_BYTES} bytes`;
  if (ownCharacters(password) < FEWEST_OWN_CHARACTERS) return 'is made of well-known words or repetitions';
  return undefined;
}

/** A random password that no user, log or file has seen. */
export function generatePassword(): string {
  return Array.from({ length: GENERATED_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)] ?? '').join('');
}
