import { AisecError } from '../../../base/errors.js';
import type { PiiClass } from '../classes.js';
import type { Originals } from '../proof/originals.js';
import { maskEmail, maskFile, maskIp, maskPhone, maskUrl } from './addresses.js';
import { EmbeddingMask } from './embedding.js';
import { maskJson } from './json.js';
import { changeOne, maskCharacters, maskLetters, spell } from './letters.js';
import { MaskKey } from './mask-key.js';
import { maskName } from './names.js';
import { ADDRESSES } from './shapes.js';

export interface MaskOptions {
  /** Undefined: a random one, so that no two runs give the same masks. */
  readonly key: string | undefined;
  /** The hash that every password is replaced by; undefined: one that no password has. */
  readonly passwordHash: string | undefined;
  readonly originals: Originals;
}

/** How a column is masked. */
export interface MaskedColumn {
  readonly piiClass: PiiClass;
  /** Part of a unique index or of a foreign key: different values stay different, equal ones equal. */
  readonly isKey: boolean;
  /** Its name says that it holds family names. */
  readonly isFamily: boolean;
}

/** As many as a value of two characters needs when nearly all others are taken. */
const MOST_ATTEMPTS = 4000;
/** A text is repaired where it is: each time one character. */
const MOST_REPAIRS = 2000;
const BCRYPT = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const ADDRESS_MASKS: Partial<Record<PiiClass, typeof maskEmail>> = {
  email: maskEmail,
  url: maskUrl,
  file: maskFile,
  ip: maskIp,
  phone: maskPhone,
};

const PLAIN: MaskedColumn = { piiClass: 'text', isKey: false, isFamily: false };

/** Masks values: the same value of the same class gives the same mask, and no mask holds an original. */
export class Masker {
  readonly #key: MaskKey;
  readonly #embeddings: EmbeddingMask;
  readonly #passwordHash: string | undefined;
  readonly #originals: Originals;
  /** Which value a mask was given to, both only as digests. */
  readonly #owners = new Map<string, string>();

  constructor({ key, passwordHash, originals }: MaskOptions) {
    this.#key = new MaskKey(key);
    this.#embeddings = new EmbeddingMask(this.#key);
    this.#passwordHash = passwordHash;
    this.#originals = originals;
  }

  /** @throws AisecError SUBSET_REFUSED when no mask of its shape is left for a value. */
  mask(column: MaskedColumn, value: string): string | null {
    const { piiClass, isKey } = column;
    if (piiClass === 'none') return value;
    if (piiClass === 'null') return null;
    if (piiClass === 'embedding') return this.#embeddings.mask(value);
    if (piiClass === 'password') return this.#password(value);
    if (piiClass === 'json')
      return maskJson(value, (inner, text) => this.mask({ ...PLAIN, piiClass: inner }, text) ?? '');
    return piiClass === 'text' && !isKey ? this.#text(value) : this.#distinct(column, value);
  }

  #attempt({ piiClass, isFamily }: MaskedColumn, value: string, attempt: number): string {
    const key = this.#key;
    if (piiClass === 'token') return this.#token(value, attempt);
    if (piiClass === 'name') return maskName(key, value, attempt, isFamily);
    const address = ADDRESS_MASKS[piiClass];
    if (address !== undefined) return address(key, value, attempt);
    return spell(value, key.random(piiClass, value, attempt), attempt);
  }

  #token(value: string, attempt: number): string {
    const random = this.#key.random('token', value, attempt);
    if (!/^(?:\\x)?[0-9a-f]+$/.test(value) || !/\d/.test(value)) return maskCharacters(value, random);
    return value.replaceAll(/(?<!\\)[0-9a-f]/g, () => random.below(16).toString(16));
  }

  /** Attempts until a mask holds no original, and where the column is a key, until no other value has it. */
  #distinct(column: MaskedColumn, value: string): string {
    const isPersonal = column.piiClass === 'name' || column.piiClass === 'username';
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const masked = this.#attempt(column, value, attempt);
      // A letter without neighbours has no other mask.
      if (masked === value && attempt < 50 && /[\p{L}\p{Nd}]/u.test(value)) continue;
      if (this.#originals.find(masked) !== undefined || (isPersonal && this.#originals.isName(masked))) continue;
      if (!column.isKey || this.#take(column.piiClass, masked, value)) return masked;
    }
    throw new AisecError('SUBSET_REFUSED', `no mask is left for a value of class ${column.piiClass}`, {
      detail: 'The values are so short that other rows have every mask of this shape already.',
      hint: 'If the column is not personal, declare it so: pii: none in its comment. Else choose fewer users.',
    });
  }

  #take(piiClass: PiiClass, masked: string, value: string): boolean {
    const place = this.#key.digest(`${piiClass}\0${masked.toLowerCase()}`);
    const owner = this.#key.digest(value);
    const taken = this.#owners.get(place);
    if (taken === undefined) this.#owners.set(place, owner);
    return taken === undefined || taken === owner;
  }

  /** Addresses within a text get the mask that they have elsewhere. */
  #text(value: string): string {
    const random = this.#key.random('text', value);
    let masked = '';
    let from = 0;
    const hasAddress = value.includes('@') || value.includes('://');
    for (const match of hasAddress ? value.matchAll(ADDRESSES) : []) {
      masked += maskLetters(value.slice(from, match.index), random);
      const piiClass = match[1] === undefined ? 'email' : 'url';
      masked += this.#distinct({ ...PLAIN, piiClass }, match[0]);
      from = match.index + match[0].length;
    }
    masked += maskLetters(value.slice(from), random);
    for (let repair = 0; repair < MOST_REPAIRS; repair += 1) {
      const hit = this.#originals.find(masked);
      if (hit === undefined) return masked;
      masked = changeOne(masked, hit.from, hit.to, random);
    }
    return masked;
  }

  /** Of bcrypt's form, so that checking a password against it fails without an error. */
  #password(value: string): string {
    if (this.#passwordHash !== undefined) return this.#passwordHash;
    const random = this.#key.random('password', value);
    const letter = (): string => BCRYPT.charAt(random.below(BCRYPT.length));
    return `$2a$12$${Array.from({ length: 53 }, letter).join('')}`;
  }
}
