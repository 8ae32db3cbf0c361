import { didYouMean } from '../base/did-you-mean.js';
import { AisecError, type ErrorCode } from '../base/errors.js';

/**
 * What TypeScript checks and JavaScript does not: a database that is none (a module that was not loaded, say).
 *
 * @throws AisecError with the code.
 */
export function checkDatabase(caller: string, db: unknown, code: ErrorCode): void {
  const { getExecutor } = (db ?? {}) as { getExecutor?: unknown };
  if (typeof getExecutor === 'function') return;
  const given = db === null ? 'null' : typeof db;
  throw new AisecError(code, `${caller}: the first argument is not a database: ${given}`, {
    hint: 'Give what createDatabase returned.',
  });
}

/**
 * An option that is misspelt would be ignored: a read that should be `isReadOnly` may write.
 *
 * @param known every option, by its name: the compiler sees to it that none is missing.
 * @param noun what the caller gives: options, or the columns of a row
 * @throws AisecError with the code.
 */
export function checkOptions(
  caller: string,
  options: unknown,
  known: Readonly<Record<string, true>>,
  code: ErrorCode,
  noun = 'option',
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new AisecError(code, `${caller}: the ${noun}s are not an object`, {
      hint: `Give { ${Object.keys(known)[0]}: … }.`,
    });
  }
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(known, name) || value === undefined) continue;
    const names = Object.keys(known);
    const near = didYouMean(name, names);
    throw new AisecError(code, `${caller}: unknown ${noun} "${name}"`, {
      hint: near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${near}"?`,
    });
  }
}
