import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import type { Extension } from '@electric-sql/pglite';

import type { EngineModule } from './engine-files.js';
import { tarEntries, type TarEntry } from './tar-entries.js';

const decompress = promisify(gunzip);

/** Where the engine has its own files, and those of extensions. */
const INSTALLATION = '/pglite';

/** Emscripten's own: what is in preRun is called before the program starts. */
interface StartOptions {
  readonly preRun: readonly ((module: EngineModule) => void)[];
}

async function readBundle(bundle: URL): Promise<readonly TarEntry[]> {
  const files = [...tarEntries(await decompress(await readFile(bundle)))];
  return files.filter(({ isDirectory }) => !isDirectory);
}

function install({ FS: fs }: EngineModule, files: readonly TarEntry[]): void {
  for (const { name, content } of files) {
    const file = join(INSTALLATION, name);
    fs.mkdirTree(dirname(file));
    fs.writeFile(file, content);
  }
}

/**
 * The extension with its library in the file system of the engine, from where PostgreSQL loads it when a function of it is
 * first called. PGlite itself links the libraries of all extensions at each start, which takes a third of a start: a browser
 * could not do it later.
 */
export function onDemand(extension: Extension): Extension {
  let files: Promise<readonly TarEntry[]> | undefined;
  return {
    name: extension.name,
    setup: async (engine, startOptions: StartOptions) => {
      const { bundlePath, ...setUp } = await extension.setup(engine, startOptions);
      if (bundlePath === undefined) return setUp;
      files ??= readBundle(bundlePath);
      const found = await files;
      const preRun = [...startOptions.preRun, (module: EngineModule): void => install(module, found)];
      return { ...setUp, emscriptenOpts: { ...startOptions, preRun } };
    },
  };
}
