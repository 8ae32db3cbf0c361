// Writes src/schema/columns.ts: the tables and columns of src/schema/database.ts as data, for a service that asks at its
// start whether its database has them. Types are gone at run time.
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { writeGenerated } from './write-generated.js';

/** What the file should hold. @param {string} root */
export function schemaColumns(root) {
  const text = readFileSync(path.join(root, 'src', 'schema', 'database.ts'), 'utf8');
  /** @param {string} name */
  const membersOf = (name) => {
    const [, body] = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, 'msu').exec(text) ?? [];
    if (body === undefined) throw new Error(`src/schema/database.ts has no interface ${name}`);
    return [...body.matchAll(/^ {2}(\w+): ([^;]+);$/gmu)].map(([, member = '', type = '']) => ({ member, type }));
  };
  const tables = membersOf('DB').map(({ member, type }) => {
    const columns = membersOf(type).map((column) => `'${column.member}'`);
    const line = `  ${member}: [${columns.join(', ')}],\n`;
    return line.length <= 121 ? line : `  ${member}: [\n${columns.map((column) => `    ${column},\n`).join('')}  ],\n`;
  });
  return (
    '// Generated from database.ts by `npm run build`.\n' +
    '/** The columns of each table and view that this version knows. */\n' +
    `export const SCHEMA_COLUMNS: Readonly<Record<string, readonly string[]>> = {\n${tables.join('')}};\n`
  );
}

/** @param {string} root */
export function writeSchemaColumns(root) {
  writeGenerated(path.join(root, 'src', 'schema', 'columns.ts'), schemaColumns(root));
}
