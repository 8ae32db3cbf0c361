import { AisecError } from './errors.js';

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
    throw new AisecError('PACKAGE_MISSING', `${purpose} needs the package ${name}, which is not installed`, {
      hint: `Install it beside aisec: npm install ${name}`,
      cause: error,
    });
  }
}
