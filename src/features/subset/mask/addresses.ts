import type { Random } from '../../../base/random.js';
import { maskCharacters, maskLetters, spell } from './letters.js';
import type { MaskKey } from './mask-key.js';

/** Reserved for examples, never to be registered (RFC 2606). */
const EXAMPLE = '.example';

/** A domain as long as the other, which needs nine characters at least. */
function exampleDomain(key: MaskKey, domain: string, attempt: number): string {
  const length = Math.max(domain.length - EXAMPLE.length, 1);
  return maskLetters('a'.repeat(length), key.random('domain', domain.toLowerCase(), attempt)) + EXAMPLE;
}

/** An address at an example domain: those of one domain stay together. */
export function maskEmail(key: MaskKey, value: string, attempt: number): string {
  const at = value.lastIndexOf('@');
  const random = key.random('email', value, attempt);
  if (at < 0) return maskLetters(value, random);
  // A domain of few characters has few masks: further attempts change the name alone.
  return `${spell(value.slice(0, at), random, attempt)}@${exampleDomain(key, value.slice(at + 1), 0)}`;
}

/** Letters of %-encoded text are replaced where it says something, not in its code. */
function maskEncoded(text: string, random: Random): string {
  if (!text.includes('%')) return maskLetters(text, random);
  try {
    return encodeURI(maskLetters(decodeURIComponent(text), random));
  } catch {
    return maskLetters(text.replaceAll(/%[0-9a-f]{2}/gi, '-'), random);
  }
}

/** The last part of a name that says what kind of file it is. */
const ENDING = /\.[a-z0-9]{1,5}$/i;

/** File names and paths: separators and the ending stay. */
export function maskFile(key: MaskKey, value: string, attempt: number): string {
  const random = key.random('file', value, attempt);
  const ending = ENDING.exec(value)?.[0] ?? '';
  return spell(value.slice(0, value.length - ending.length), random, attempt) + ending;
}

/** The scheme stays; the host is an example, and what comes behind it has its separators and its ending. */
export function maskUrl(key: MaskKey, value: string, attempt: number): string {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*:(?:\/\/)?)(.*)$/is.exec(value) ?? [];
  if (scheme === undefined || rest === undefined) return maskFile(key, value, attempt);
  const random = key.random('url', value, attempt);
  if (!scheme.endsWith('//')) return scheme + maskCharacters(rest, random);
  const [, user = '', host = '', port = '', path = ''] = /^([^/?#@]*@)?([^/?#:]*)(:\d+)?(.*)$/s.exec(rest) ?? [];
  const ending = /\.[a-z0-9]{1,5}(?=$|[?#])/i.exec(path);
  const masked =
    ending === null
      ? maskEncoded(path, random)
      : maskEncoded(path.slice(0, ending.index), random) +
        ending[0] +
        maskEncoded(path.slice(ending.index + ending[0].length), random);
  return scheme + maskLetters(user, random) + (host === '' ? '' : exampleDomain(key, host, attempt)) + port + masked;
}

/** An address of the networks for documentation (RFC 5737, RFC 3849). */
export function maskIp(key: MaskKey, value: string, attempt: number): string {
  const [address = '', bits] = value.split('/', 2);
  const random = key.random('ip', address, attempt);
  const suffix = bits === undefined ? '' : `/${bits}`;
  if (!address.includes(':'))
    return `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${random.below(256)}${suffix}`;
  const groups = Array.from({ length: 6 }, () => random.below(65_536).toString(16));
  return `2001:db8:${groups.join(':')}${suffix}`;
}

/** The first digit stays, which says whether it is a number within the country. */
export function maskPhone(key: MaskKey, value: string, attempt: number): string {
  const random = key.random('phone', value, attempt);
  const first = value.search(/\d/);
  return value.slice(0, first + 1) + maskCharacters(value.slice(first + 1), random);
}
