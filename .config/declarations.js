// Writes one file of types for each entry of package.json's exports, beside its JavaScript in dist/library and dist/cjs. The
// types of the tables stay in schema.d.ts, to which the others refer: `declare module 'aisec/schema'` extends an interface only
// in the file that declares it.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @param {string} dist
 * @param {Readonly<Record<string, string>>} entries the entries, by their file in dist/
 * @param {readonly string[]} targets directories of dist/
 * @returns {Promise<string[]>} the files
 */
export async function writeDeclarations(dist, entries, targets) {
  const [{ rollup }, { dts }] = await Promise.all([import('rollup'), import('rollup-plugin-dts')]);
  const schema = path.join(dist, 'schema') + path.sep;
  /** @param {string} name @returns {import('rollup').Plugin} */
  const leaveSchema = (name) => ({
    name: 'leave-schema',
    resolveId(id, importer) {
      if (name === 'schema' || importer === undefined || !id.startsWith('.')) return null;
      const isOfSchema = path.resolve(path.dirname(importer), id).startsWith(schema);
      return isOfSchema ? { id: './schema.js', external: true } : null;
    },
  });
  const written = [];
  for (const [name, file] of Object.entries(entries)) {
    const build = await rollup({
      input: path.join(dist, `${file}.d.ts`),
      external: (id) => !id.startsWith('.') && !path.isAbsolute(id),
      plugins: [leaveSchema(name), dts()],
      onLog: (level, log, report) => report(level === 'warn' ? 'error' : level, log),
    });
    const { output } = await build.generate({ format: 'es' });
    await build.close();
    for (const target of targets) {
      const into = path.join(dist, target, `${name}.d.ts`);
      mkdirSync(path.dirname(into), { recursive: true });
      writeFileSync(into, output[0].code);
      written.push(into);
    }
  }
  return written;
}
