import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'vitest/config';

const root = path.dirname(import.meta.dirname);
const source = path.join(root, 'src') + path.sep;
const compiled = path.join(root, 'dist') + path.sep;

/**
 * What tests import of src/ is what `npm run build` made of it, as for the command line that they start. Vitest would
 * evaluate hundreds of modules one by one in every worker.
 */
export const compiledSource: Plugin = {
  name: 'compiled-source',
  enforce: 'pre',
  resolveId(specifier, importer) {
    if (importer === undefined || !specifier.startsWith('.')) return undefined;
    const file = path.resolve(path.dirname(importer), specifier);
    return file.startsWith(source) ? compiled + file.slice(source.length) : undefined;
  },
};

/** For Node to load, not for Vitest. */
export const COMPILED = new RegExp(`^${pathToFileURL(compiled).pathname.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);

/** A module of src/ that was changed after it was compiled; undefined: there is none. */
export function changedModule(): string | undefined {
  return readdirSync(source, { recursive: true, encoding: 'utf8' }).find((name) => {
    if (!name.endsWith('.ts')) return false;
    const made = statSync(compiled + name.replace(/ts$/, 'js'), { throwIfNoEntry: false });
    return made === undefined || made.mtimeMs < statSync(source + name).mtimeMs;
  });
}
