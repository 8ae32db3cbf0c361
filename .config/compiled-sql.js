// The queries of sql/ as JavaScript, for what is bundled: two hundred files less in the package, and none to be read. A
// bundler of a service takes JavaScript along wherever its output lands; a file beside the module it would not.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * A plugin that puts the texts of sql/, without the lines that are comments, in the place of the modules that read them:
 * those of a service in one, all others in the other.
 *
 * @param {string} root
 * @returns {import('rolldown').Plugin}
 */
export function compiledSql(root) {
  const adapter = path.join(root, 'dist', 'adapters', 'postgres');
  const texts = queries(path.join(root, 'sql'));
  /** @param {boolean} ofService */
  const some = (ofService) => texts.filter(([name]) => name.startsWith('client/') === ofService);
  const modules = new Map([
    [path.join(adapter, 'sql-file.js'), moduleOf('sqlFile', some(false))],
    [
      path.join(adapter, 'client-sql.js'),
      moduleOf(
        'clientSql',
        some(true).map(([name, text]) => [name.slice('client/'.length), text]),
      ),
    ],
  ]);
  return { name: 'compiled-sql', load: (id) => modules.get(id) ?? null };
}

/** @param {string} reader the function that it exports @param {[string, string][]} texts */
function moduleOf(reader, texts) {
  return `const TEXTS = ${JSON.stringify(Object.fromEntries(texts))};
export function ${reader}(name) {
  const text = TEXTS[name];
  if (text === undefined) throw new Error('there is no query ' + name);
  return text;
}`;
}

/** @param {string} file */
function queryText(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n')
    .trim();
}

/** Each with its name, such as `session/blockers`. @param {string} directory @returns {[string, string][]} */
function queries(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length).split(path.sep).join('/'))
    .sort()
    .map((name) => [name, queryText(path.join(directory, `${name}.sql`))]);
}
