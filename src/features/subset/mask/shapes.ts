// Each part has a bound: without one, a text that has no spaces, such as an image in base64, is looked through from each of its
// characters to its end, which takes hours for a megabyte.
/** What a text looks like, where nothing says what it is. */
export const EMAIL = /[\p{L}\d.!#$%&'*+/=?^_`{|}~-]{1,64}@[\p{L}\d](?:[\p{L}\d.-]{0,252}[\p{L}\d])?/u;
const URL_SHAPE = /[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"'<>「」（）、。]{1,8192}/i;
const IP_V4 = /^(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?$/;
const LONGEST_IP = 49;
const IP_V6 = /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*(?:\/\d{1,3})?$/i;
const PHONE = /^[+(]?\d[\d ().-]{6,}\d$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** E-mail addresses and URLs within a text. */
export const ADDRESSES = new RegExp(`(${URL_SHAPE.source})|(${EMAIL.source})`, 'giu');

export type Shape = 'email' | 'url' | 'ip' | 'phone' | 'kept' | 'text';

/** Identifiers and times stay: they say nothing without the rows that they belong to. */
export function shapeOf(text: string): Shape {
  if (UUID.test(text) || TIME.test(text)) return 'kept';
  if (new RegExp(`^(?:${EMAIL.source})$`, 'u').test(text)) return 'email';
  if (new RegExp(`^(?:${URL_SHAPE.source})$`, 'i').test(text)) return 'url';
  if (IP_V4.test(text) || (text.length <= LONGEST_IP && IP_V6.test(text) && /\d/.test(text))) return 'ip';
  return PHONE.test(text) ? 'phone' : 'text';
}
