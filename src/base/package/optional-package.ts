import { readFileSync } from 'node:fs';

import { AisecError } from '../errors.js';
import { packageFile } from '../package-file.js';

/** With the versions that this one was tested with; the newest of two may not fit each other. */
function withVersions(names: readonly string[]): string {
  const manifest = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  };
  return names
    .map((name) => [name, manifest.optionalDependencies?.[name]].filter((part) => part !== undefined).join('@'))
    .join(' ');
}

/**
 * Loads a package that not every installation has.
 *
 * @param name one or more, as `npm install` takes them
 * @param load such as `() => import('name')`, so that the bundler and the rules of the layers see the name
 * @throws AisecError PACKAGE_MISSING with the command that installs it.
 */
export async function loadOptional<Module>(
  name: string,
  purpose: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(code)) throw error;
    const names = name.split(' ');
    const what =
      names.length === 1 ? `the package ${name}, which is` : `the packages ${names.join(' and ')}, which are`;
    throw new AisecError('PACKAGE_MISSING', `${purpose} needs ${what} not installed`, {
      // Without the flag npm adds every other optional package as well.
      hint: `Install ${names.length === 1 ? 'it' : 'them'} beside aisec: npm install --omit=optional ${withVersions(names)}`,
      cause: error,
    });
  }
}
