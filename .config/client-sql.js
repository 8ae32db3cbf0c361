// Writes src/adapters/postgres/client-sql.ts: the queries that a service sends, as JavaScript. A bundler takes that along
// wherever its output lands; a file beside the module it would not.
import { readdirSync } from 'node:fs';
import path from 'node:path';

import { queryText } from './compiled-sql.js';
import { writeGenerated } from './write-generated.js';

/** What the file should hold. @param {string} root */
export function clientSql(root) {
  const directory = path.join(root, 'sql', 'client');
  const entries = readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const text = queryText(path.join(directory, file));
      return `  '${file.slice(0, -'.sql'.length)}': \`${text.replaceAll(/[\\`]|\$\{/g, String.raw`\$&`)}\`,\n`;
    });
  return (
    '// Generated from sql/client by `npm run build`; edit those files.\n' +
    '/** The queries of sql/client, by name, without their comments. */\n' +
    `export const CLIENT_SQL = {\n${entries.join('')}} as const;\n`
  );
}

/** @param {string} root */
export function writeClientSql(root) {
  writeGenerated(path.join(root, 'src', 'adapters', 'postgres', 'client-sql.ts'), clientSql(root));
}
