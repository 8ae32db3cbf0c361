import { readFileSync } from 'node:fs';

import { packageFile } from '../../base/package-file.js';

const texts = new Map<string, string>();

/** The static query in `sql/<name>.sql`, such as `session/blockers`. Read once. */
export function sqlFile(name: string): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(packageFile(`sql/${name}.sql`), 'utf8');
    texts.set(name, text);
  }
  return text;
}
