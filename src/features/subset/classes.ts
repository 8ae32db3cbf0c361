/** Kinds of personal data, as comments of columns declare them: `pii: email`. */
export const PII_CLASSES = [
  'none',
  'name',
  'username',
  'email',
  'phone',
  'url',
  'file',
  'ip',
  'token',
  'password',
  'text',
  'json',
  'embedding',
  'null',
] as const;

export type PiiClass = (typeof PII_CLASSES)[number];

export function isPiiClass(text: string): text is PiiClass {
  return (PII_CLASSES as readonly string[]).includes(text);
}

/** What stands behind `pii:` in a comment, valid or not. */
export function declaredClass(comment: string | null): string | undefined {
  return /(?:^|[\s(])pii:\s*([\w-]+)/i.exec(comment ?? '')?.[1]?.toLowerCase();
}
