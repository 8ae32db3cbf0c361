// The queries of sql/ as JavaScript, for what is bundled: two hundred files less in the package, and none to be read.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * A plugin that puts the texts of sql/, without the lines that are comments, in the place of the module that reads them.
 *
 * @param {string} root
 * @returns {import('rolldown').Plugin}
 */
export function compiledSql(root) {
  const module = path.join(root, 'dist', 'adapters', 'postgres', 'sql-file.js');
  return {
    name: 'compiled-sql',
    load(id) {
      if (id !== module) return null;
      return `const TEXTS = ${JSON.stringify(queries(path.join(root, 'sql')))};
export function sqlFile(name) {
  const text = TEXTS[name];
  if (text === undefined) throw new Error('there is no query ' + name);
  return text;
}`;
    },
  };
}

/** The text of a query without its comments, which explain it to those who read the file. @param {string} file */
export function queryText(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n')
    .trim();
}

/** By name, such as `session/blockers`. @param {string} directory */
function queries(directory) {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length).split(path.sep).join('/'))
    // Those of a service are in src/adapters/postgres/client-sql.ts.
    .filter((name) => !name.startsWith('client/'))
    .sort();
  return Object.fromEntries(names.map((name) => [name, queryText(path.join(directory, `${name}.sql`))]));
}
