import type { PiiClass } from '../classes.js';
import { replaceJson } from './json-strings.js';
import { shapeOf } from './shapes.js';

/** What stands under such a name is of that class, whatever it looks like. */
const BY_NAME: readonly (readonly [name: RegExp, piiClass: PiiClass])[] = [
  [/e-?mail/i, 'email'],
  [/passw|pwd/i, 'password'],
  [/phone|tel$|mobile|fax/i, 'phone'],
  [/token|secret|api_?key|session|cookie|authorization|signature/i, 'token'],
  [/url|uri|href|link/i, 'url'],
  [/file(_?name)?$|path$/i, 'file'],
  [/user_?name|login|account/i, 'username'],
  [
    /^name$|(first|last|given|family|full|nick|display)_?name$|author|sender|recipient|attendee|person|contact/i,
    'name',
  ],
];

/** Numbers that are a person's. */
const PERSONAL_NUMBER = /phone|tel$|mobile|fax|zip|postal|card|account|ssn|my_?number/i;

function classOf(under: string, value: string): PiiClass | undefined {
  const shape = shapeOf(value);
  if (shape === 'email' || shape === 'url' || shape === 'ip') return shape;
  const named = BY_NAME.find(([name]) => name.test(under))?.[1];
  if (named !== undefined) return named;
  return shape === 'kept' ? undefined : shape;
}

/** Names that a program uses stay; any other, such as an address, may be a person's. */
function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w.$-]{0,62}$/.test(name);
}

/** Masks the values of a JSON text, each by the name that it stands under or by what it looks like. */
export function maskJson(json: string, mask: (piiClass: PiiClass, value: string) => string): string {
  return replaceJson(json, ({ kind, value, under }) => {
    if (kind === 'key') return isIdentifier(value) ? undefined : mask(classOf('', value) ?? 'text', value);
    if (kind === 'number') return PERSONAL_NUMBER.test(under) && /^\d+$/.test(value) ? mask('phone', value) : undefined;
    const piiClass = classOf(under, value);
    return piiClass === undefined || value === '' ? undefined : mask(piiClass, value);
  });
}
