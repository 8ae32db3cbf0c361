import { readFileSync } from 'node:fs';

const texts = new Map<string, string>();

/** The static query in `sql/<name>.sql`, such as `session/blockers`. Read once. */
export function sqlFile(name: string): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`../../../sql/${name}.sql`, import.meta.url), 'utf8');
    texts.set(name, text);
  }
  return text;
}
